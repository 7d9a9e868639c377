package repository

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxDepth of folders in a bundle; deeper is a link that leads in a circle.
const maxDepth = 8

// versionsIn are the versions that lie in a model's folder, ascending, and
// whether the model lies there itself, which is version 1. Folders that are no
// version are stray.
func versionsIn(path string) (versions []int64, bare bool, stray []error, err error) {
	entries, stray, err := list(path)
	if err != nil {
		return nil, false, nil, err
	}
	var others []string
	for _, e := range entries {
		version, numeric := ParseVersion(e.Name())
		switch {
		case e.IsDir() && numeric:
			versions = append(versions, version)
		case e.IsDir():
			others = append(others, filepath.Join(path, e.Name()))
		case e.Name() == modelFile:
			bare = true
		}
	}
	switch {
	case bare && len(versions) > 0:
		return nil, false, stray, fmt.Errorf("%s: has both %s and version folders; move the file into one", path, modelFile)
	case bare:
		return []int64{1}, true, stray, nil // the other folders are the bundle's
	}
	for _, folder := range others {
		stray = append(stray, fmt.Errorf("%s: a version folder is named by a positive whole number", folder))
	}
	if len(versions) == 0 {
		return nil, false, stray, fmt.Errorf("%s: no %s and no version folder", path, modelFile)
	}
	slices.Sort(versions)
	return versions, false, stray, nil
}

// choose is the versions that the policy wants of those that lie there.
func (v Versions) choose(there []int64) ([]int64, error) {
	switch {
	case v.All:
		return there, nil
	case len(v.Specific) > 0:
		var missing []error
		for _, version := range v.Specific {
			if !slices.Contains(there, version) {
				missing = append(missing, fmt.Errorf("versions.specific: there is no version %d", version))
			}
		}
		wanted := slices.DeleteFunc(there, func(version int64) bool { return !slices.Contains(v.Specific, version) })
		return wanted, errors.Join(missing...)
	}
	return there[max(0, len(there)-v.Latest):], nil
}

// filesBelow lists the files of a bundle by their names in it, sorted.
func filesBelow(dir string, depth int) ([]string, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%s: more than %d folders deep; does a link lead in a circle?", dir, maxDepth)
	}
	entries, stray, err := list(dir)
	if err := errors.Join(append(stray, err)...); err != nil {
		return nil, err
	}
	var all []string
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case e.IsDir():
			below, err := filesBelow(path, depth+1)
			if err != nil {
				return nil, err
			}
			for _, name := range below {
				all = append(all, e.Name()+"/"+name)
			}
		case !e.Mode().IsRegular():
			return nil, fmt.Errorf("%s: neither a file nor a folder", path) // to open a pipe would wait for ever
		default:
			all = append(all, e.Name())
		}
	}
	slices.Sort(all)
	return all, nil
}

// list stats the entries of a folder through symbolic links, without those that
// are not to be looked at. Links that lead nowhere are stray.
func list(folder string) (infos []fs.FileInfo, stray []error, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		if hidden(e.Name()) {
			continue
		}
		info, err := os.Stat(filepath.Join(folder, e.Name()))
		if err != nil {
			stray = append(stray, err)
			continue
		}
		infos = append(infos, renamed{info, e.Name()})
	}
	return infos, stray, nil
}

// renamed is what a link points to under the link's own name.
type renamed struct {
	fs.FileInfo
	name string
}

func (r renamed) Name() string { return r.name }

func hidden(name string) bool {
	// ext4 volumes have a lost+found that only root can read.
	return strings.HasPrefix(name, ".") || name == "lost+found" ||
		strings.HasSuffix(name, ".tmp") || strings.HasSuffix(name, ".partial")
}

// ParseVersion takes what is written without sign and leading zeros.
func ParseVersion(name string) (int64, bool) {
	v, err := strconv.ParseInt(name, 10, 64)
	return v, err == nil && v > 0 && strconv.FormatInt(v, 10) == name
}

// CheckName keeps names out that would change a URL's meaning or that no
// message can carry.
func CheckName(model string) error {
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) }
	if model == "" || !utf8.ValidString(model) || strings.ContainsAny(model, "/:?#%") || strings.ContainsFunc(model, unprintable) {
		return fmt.Errorf("model name %q: must not be empty nor contain any of / : ? # %% or what cannot be printed", model)
	}
	return nil
}
