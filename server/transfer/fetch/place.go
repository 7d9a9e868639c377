package fetch

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// place renames the tree's units below root/base. What is there and the same is
// not touched; what is there and different is put aside into old, and back when
// the new one can't take its place.
func (t *tree) place(root, base, old string) error {
	if base != "" {
		if err := t.nest(base); err != nil {
			return err
		}
	}
	for _, unit := range t.units(base, root) {
		from, to := t.at(unit), filepath.Join(root, filepath.FromSlash(unit))
		same, err := t.isSame(base, unit, to)
		if err != nil {
			return err
		}
		if same {
			continue
		}
		if err := t.clash(unit, root); err != nil {
			return err
		}
		if err := replace(from, to, old); err != nil {
			return fmt.Errorf("lay %s: %w", to, err)
		}
	}
	return nil
}

// nest moves the whole tree into a folder of itself.
func (t *tree) nest(base string) error {
	aside := t.path + ".nest"
	if err := errors.Join(os.RemoveAll(aside), os.Rename(t.path, aside), os.MkdirAll(filepath.Dir(t.at(base)), 0o755)); err != nil {
		return err
	}
	return os.Rename(aside, t.at(base))
}

// units are what a reader should see all at once: a model that is new, else each
// version of it, else each file.
func (t *tree) units(base, root string) []string {
	units := map[string]bool{}
	for name := range t.files {
		full := path.Join(base, name)
		parts := strings.Split(full, "/")
		_, err := os.Stat(filepath.Join(root, parts[0]))
		switch {
		case len(parts) == 1:
			units[full] = true
		case errors.Is(err, fs.ErrNotExist), t.isBare(parts[0]):
			units[parts[0]] = true
		case len(parts) > 2 && isVersion(parts[1]):
			units[path.Join(parts[:2]...)] = true
		default:
			units[full] = true
		}
	}
	return slices.SortedFunc(maps.Keys(units), byDepthThenName)
}

// byDepthThenName puts a model's settings before the versions they are for.
func byDepthThenName(a, b string) int {
	aVersion, bVersion := isVersion(path.Base(a)), isVersion(path.Base(b))
	switch {
	case aVersion == bVersion:
		return strings.Compare(a, b)
	case aVersion:
		return 1
	}
	return -1
}

// isBare is true of a model whose files lie in its folder itself.
func (t *tree) isBare(model string) bool {
	_, bare := t.files[path.Join(model, modelFile)]
	return bare
}

// isSame is true when a unit's files are in its place already, and no others.
func (t *tree) isSame(base, unit, to string) (bool, error) {
	want := map[string]file{}
	for name, is := range t.files {
		full := path.Join(base, name)
		if below, isBelow := strings.CutPrefix(full, unit+"/"); isBelow {
			want[below] = is
		} else if full == unit {
			want["."] = is
		}
	}
	err := filepath.WalkDir(to, func(at string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && at != to && isHidden(d.Name()) {
			return fs.SkipDir
		}
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(to, at)
		if err != nil {
			return err
		}
		sum, _, err := sumOf(at)
		if err != nil {
			return err
		}
		if is, wanted := want[filepath.ToSlash(name)]; !wanted || is.SHA256 != sum {
			return errDifferent
		}
		delete(want, filepath.ToSlash(name))
		return nil
	})
	if errors.Is(err, errDifferent) || errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return len(want) == 0, err
}

var errDifferent = errors.New("different")

// clash is an error when a model would lie both in its folder and in versions.
func (t *tree) clash(unit, root string) error {
	model, _, isVersioned := strings.Cut(unit, "/")
	folder := filepath.Join(root, model)
	if isVersioned {
		if _, err := os.Stat(filepath.Join(folder, modelFile)); err == nil && !t.isBare(model) {
			return fmt.Errorf("%s has a %s beside its versions; remove it", folder, modelFile)
		}
		return nil
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil //nolint:nilerr // not a folder, or a new one
	}
	for _, e := range entries {
		if e.IsDir() && isVersion(e.Name()) {
			return fmt.Errorf("%s has versions, and the source a bare %s; move that into a version's folder", folder, modelFile)
		}
	}
	return nil
}

func replace(from, to, old string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	info, err := os.Stat(to)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return os.Rename(from, to)
	}
	if err != nil {
		return err
	}
	if err := os.MkdirAll(old, 0o755); err != nil {
		return err
	}
	aside, err := os.MkdirTemp(old, "")
	if err != nil {
		return err
	}
	aside = filepath.Join(aside, filepath.Base(to))
	if err := os.Rename(to, aside); err != nil {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return errors.Join(err, os.Rename(aside, to))
	}
	return nil
}
