package repository

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"slipway/server/bundle"
	"slipway/server/modelconfig"
)

// versionsIn returns the versions in a model's folder, ascending. A bare model lies
// in the folder itself and is version 1. Problems are the entries that are no version.
func (s *scan) versionsIn(folder string) (versions []int64, bare bool, problems []error, err error) {
	entries, broken, err := s.folder.ReadDir(folder)
	if err != nil {
		return nil, false, nil, err
	}
	path := s.folder.Path(folder)
	var others []string
	for _, e := range entries {
		version, numeric := bundle.ParseVersion(e.Name())
		switch {
		case e.IsDir() && numeric:
			versions = append(versions, version)
		case e.IsDir():
			others = append(others, filepath.Join(path, e.Name()))
		case e.Name() == bundle.ModelFile:
			bare = true
		}
	}
	for _, b := range broken { // reading the bundle finds why
		version, numeric := bundle.ParseVersion(b.Name)
		switch {
		case numeric:
			versions = append(versions, version)
		case b.Name == bundle.ModelFile:
			bare = true
		default:
			problems = append(problems, b.Err)
		}
	}
	switch {
	case bare && len(versions) > 0:
		return nil, false, problems, fmt.Errorf("%s: has both %s and version folders; move the file into one", path, bundle.ModelFile)
	case bare:
		return []int64{1}, true, bundle.Few(problems), nil // the other folders are the bundle's
	}
	for _, folder := range others {
		problems = append(problems, fmt.Errorf("%s: a version folder is named by a positive whole number", folder))
	}
	problems = bundle.Few(problems)
	if len(versions) == 0 {
		return nil, false, problems, s.noVersion(folder)
	}
	slices.Sort(versions)
	return versions, false, problems, nil
}

// maxOlder bounds the versions that are tried when newer ones can't be loaded.
const maxOlder = 5

// errNoVersion is that a model's folder has no bundle.
var errNoVersion = fmt.Errorf("%w: no %s and no version folder", ErrIncomplete, bundle.ModelFile)

// noVersion is the error of a model's folder without a bundle. It names a file that
// looks like the model.
func (s *scan) noVersion(folder string) error {
	path := s.folder.Path(folder)
	if name := s.otherModel(folder); name != "" {
		return fmt.Errorf("%s: %w; rename %s to %s", path, errNoVersion, name, bundle.ModelFile)
	}
	return fmt.Errorf("%s: %w", path, errNoVersion)
}

// otherModel returns the first file of a folder that is an ONNX file by its name, or
// empty.
func (s *scan) otherModel(folder string) string {
	entries, _, _ := s.folder.ReadDir(folder)
	for _, e := range entries {
		if e.Mode().IsRegular() && strings.HasSuffix(e.Name(), bundle.ModelSuffix) {
			return e.Name()
		}
	}
	return ""
}

// choose returns the versions that the policy selects of those that exist, ascending,
// and older ones that may stand in for them, descending.
func choose(policy modelconfig.Versions, existing []int64) (selected, older []int64, err error) {
	switch {
	case policy.All:
		return existing, nil, nil
	case len(policy.Specific) > 0:
		var missing []error
		for _, version := range policy.Specific {
			if !slices.Contains(existing, version) {
				missing = append(missing, fmt.Errorf("versions.specific: there is no version %d", version))
			}
		}
		selected = slices.DeleteFunc(existing, func(version int64) bool { return !slices.Contains(policy.Specific, version) })
		return selected, nil, errors.Join(bundle.Few(missing)...)
	}
	newest := max(0, len(existing)-policy.Latest)
	for _, version := range slices.Backward(existing[max(0, newest-maxOlder):newest]) {
		older = append(older, version)
	}
	return existing[newest:], older, nil
}
