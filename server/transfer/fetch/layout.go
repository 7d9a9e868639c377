package fetch

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"slipway/server/bundle"
)

// layout returns the folder of the repository where the source's files belong, by
// their names: the repository itself, a model's folder if the source is a model's
// versions, or a version's folder if the source is a bundle.
func layout(files map[string]object, model string, version int64) (base string, err error) {
	isBundle, isModel, isRepository := false, false, false
	for name := range files {
		folder, file := path.Dir(name), path.Base(name)
		_, isVersion := bundle.ParseVersion(folder)
		isMarker := file == bundle.ModelFile || file == bundle.ManifestFile && folder != "." // an unfinished version may have only this
		switch {
		case name == bundle.ModelFile:
			isBundle = true
		case isMarker && isVersion:
			isModel = true
		case isMarker && strings.Count(folder, "/") <= 1, folder == "." && strings.HasSuffix(name, bundle.ModelSuffix):
			isRepository = true
		}
	}
	switch {
	case isBundle && model == "":
		return "", errors.New("the source is one bundle; name its model with --model NAME and its version with --version N")
	case isBundle:
		return path.Join(model, strconv.FormatInt(max(version, 1), 10)), nil
	case isModel && model == "":
		return "", errors.New("the source is one model's versions; name the model with --model NAME")
	case isModel && version != 0:
		return "", errors.New("the source has versions of its own; leave --version out, or fetch one of them")
	case isModel:
		return model, nil
	case !isRepository:
		return "", fmt.Errorf("no model in the source; expected MODEL/VERSION/%s below it", bundle.ModelFile)
	case model != "":
		return "", errors.New("the source is a repository, whose models have names; leave --model out, or fetch one of them")
	}
	return "", nil
}
