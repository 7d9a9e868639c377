package fetch

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"slipway/server/bundle"
	"slipway/server/modelconfig"
)

// unit is what appears in the repository at once: a version, a bare model, or a
// file beside them.
type unit struct {
	path     string            // in the repository
	source   string            // in the source
	files    map[string]object // by path in the unit; a single file is "."
	isBundle bool
	isBare   bool // a bundle in the model's folder itself
}

// unitsOf divides files, by their paths in the source, into units. A model's
// configuration comes before the versions that it is for.
func unitsOf(files map[string]object, base string) []*unit {
	byPath := map[string]*unit{}
	for name, file := range files {
		full := path.Join(base, name)
		u := &unit{path: full, files: map[string]object{}}
		parts := strings.SplitN(full, "/", 3)
		_, bare := files[path.Join(parts[0], bundle.ModelFile)]
		if base == "" && bare && len(parts) > 1 {
			u.path, u.isBundle, u.isBare = parts[0], true, true
		} else if len(parts) == 3 {
			if _, u.isBundle = bundle.ParseVersion(parts[1]); u.isBundle {
				u.path = path.Join(parts[:2]...)
			}
		}
		u.source = relative(u.path, base)
		if byPath[u.path] == nil {
			byPath[u.path] = u
		}
		byPath[u.path].files[relative(full, u.path)] = file
	}
	order := func(u *unit) string {
		if u.isBundle {
			return "2" + u.path
		}
		return "1" + u.path
	}
	return slices.SortedFunc(maps.Values(byPath), func(a, b *unit) int { return strings.Compare(order(a), order(b)) })
}

// relative returns a name as it is below a folder, or "." for the folder itself.
func relative(name, folder string) string {
	if name == folder {
		return "."
	}
	return strings.TrimPrefix(name, folder+"/")
}

// content returns the names of a bundle's files. The folder of a bare bundle is also
// its model's and has the configuration.
func (u *unit) content() []string {
	names := slices.Sorted(maps.Keys(u.files))
	return slices.DeleteFunc(names, func(name string) bool { return u.isBare && modelconfig.IsFile(name) })
}

// model returns the model that a unit belongs to. A file at the top of the
// repository may belong to none.
func (u *unit) model() (name string, has bool) {
	if name, _, below := strings.Cut(u.path, "/"); below || u.isBundle {
		return name, true
	}
	return strings.CutSuffix(u.path, bundle.ModelSuffix)
}

// check applies the rules by which the server reads a repository.
func check(units []*unit) error {
	forms := map[string]string{} // of each model: a folder's or a file's name
	for _, u := range units {
		model, has := u.model()
		if !has {
			continue
		}
		if err := bundle.CheckModelName(model); err != nil {
			return err
		}
		form, _, _ := strings.Cut(u.path, "/")
		if other, twice := forms[model]; twice && other != form {
			return fmt.Errorf("model %q is both %s and %s; keep one", model, other, form)
		}
		forms[model] = form
		if err := u.check(); err != nil {
			return fmt.Errorf("%s: %w", u.path, err)
		}
	}
	return nil
}

func (u *unit) check() error {
	switch {
	case u.isBundle:
	case strings.Count(u.path, "/") == 2 && path.Base(u.path) == bundle.ModelFile:
		return errors.New("a version folder is named by a positive whole number")
	default:
		return nil
	}
	for name := range u.files {
		folder, _, below := strings.Cut(name, "/")
		if _, isVersion := bundle.ParseVersion(folder); u.isBare && below && isVersion {
			return fmt.Errorf("has both %s and version folders; move the file into one", bundle.ModelFile)
		}
	}
	return bundle.CheckFiles(u.content())
}
