package fetch

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
)

// layout says in which folder of the repository the files belong, by their names:
// a repository in its root, a model's versions in the model's folder, a bundle's
// files in its version's.
func layout(names []string, model string, version int64) (base string, err error) {
	bundle, versions, repository := false, false, false
	for _, name := range names {
		folder := path.Dir(name)
		switch {
		case name == modelFile:
			bundle = true
		case path.Base(name) == modelFile && isVersion(folder):
			versions = true
		case path.Base(name) == modelFile && depth(folder) <= 2, folder == "." && strings.HasSuffix(name, onnxSuffix):
			repository = true
		}
	}
	switch {
	case bundle && model == "":
		return "", errors.New("the source is one bundle; say which it is with --model NAME and --version N")
	case bundle:
		return path.Join(model, strconv.FormatInt(max(version, 1), 10)), nil
	case versions && model == "":
		return "", errors.New("the source is one model's versions; say whose with --model NAME")
	case versions && version != 0:
		return "", errors.New("the source has versions of its own; leave --version out, or fetch one of them")
	case versions:
		return model, nil
	case !repository:
		return "", fmt.Errorf("no model in the source; expected MODEL/VERSION/%s below it", modelFile)
	case model != "":
		return "", errors.New("the source is a whole repository, whose models have names; leave --model out, or fetch one of them")
	}
	return "", nil
}

func depth(folder string) int { return strings.Count(folder, "/") + 1 }

// isVersion takes what is written as the repository's reader wants it.
func isVersion(name string) bool {
	v, err := strconv.ParseInt(name, 10, 64)
	return err == nil && v > 0 && strconv.FormatInt(v, 10) == name
}
