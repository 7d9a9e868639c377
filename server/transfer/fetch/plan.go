package fetch

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"slipway/server/bundle"
	"slipway/server/modelconfig"
	"slipway/server/transfer/source"
)

// plan decides where in the repository the objects belong.
func (j *job) plan(objects []source.Object) (err error) {
	isArchive := slices.ContainsFunc(objects, func(o source.Object) bool { return o.Packing != source.Plain })
	isFile := j.source.Single() && !isArchive
	asFile := strings.HasSuffix(j.root, bundle.ModelSuffix)
	switch {
	case asFile && !isFile:
		return fmt.Errorf("destination %s names a file, and the source is not a single .onnx file; name a folder", j.root)
	case asFile && j.Model != "":
		return fmt.Errorf("destination %s names a file, so --model %s has no place; name the repository's folder", j.root, j.Model)
	case asFile:
		objects[0].Name, j.root = filepath.Base(j.root), filepath.Dir(j.root)
	case isFile && j.Model != "":
		objects[0].Name = bundle.ModelFile
	case isArchive:
		j.archive = objects
		return nil
	}
	files := map[string]source.Object{}
	for _, o := range objects {
		if _, twice := files[o.Name]; twice {
			return twiceError(o.Name)
		}
		files[o.Name] = o
	}
	if !asFile {
		if j.base, err = layout(files, j.Model, j.Version); err != nil {
			return err
		}
	}
	j.units = unitsOf(files, j.base)
	return nil
}

// layout returns the folder of the repository where the source's files belong, by
// their names: the repository itself, a model's folder if the source is a model's
// versions, or a version's folder if the source is a bundle.
func layout(files map[string]source.Object, model string, version int64) (base string, err error) {
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

// unit is what appears in the repository at once: a version, a bare model, or a
// file beside them.
type unit struct {
	path     string                   // in the repository
	source   string                   // in the source
	files    map[string]source.Object // by path in the unit; a single file is "."
	isBundle bool
	isBare   bool // a bundle in the model's folder itself
}

// unitsOf divides files, by their paths in the source, into units. A model's
// configuration comes before the versions that it is for.
func unitsOf(files map[string]source.Object, base string) []*unit {
	byPath := map[string]*unit{}
	for name, file := range files {
		full := path.Join(base, name)
		u := &unit{path: full, files: map[string]source.Object{}}
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
