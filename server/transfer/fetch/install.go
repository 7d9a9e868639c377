package fetch

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"

	"slipway/server/bundle"
)

// present reports whether the repository has the files of a unit and no others
// in its place.
func (j *job) present(u *unit) bool {
	at := filepath.Join(j.root, filepath.FromSlash(u.path))
	if u.isBundle {
		names, err := bundle.Files(at)
		if err != nil || !slices.Equal(names, slices.Sorted(maps.Keys(u.files))) {
			return false
		}
	}
	for name, o := range u.files {
		if !o.Same(filepath.Join(at, filepath.FromSlash(name))) {
			return false
		}
	}
	return true
}

// install checks the staged units and renames them into the repository. What is
// the same already is not touched.
func (j *job) install(units []*unit) error {
	if err := check(units); err != nil {
		return err
	}
	for _, u := range units {
		if err := errors.Join(j.verify(u), j.conflict(u)); err != nil {
			return err
		}
	}
	for _, u := range units {
		if j.present(u) {
			continue
		}
		if err := j.folder.Replace(path.Join(stageFolder, u.source), u.path, oldFolder); err != nil {
			return fmt.Errorf("install %s: %w", u.path, err)
		}
	}
	return nil
}

// verify compares a bundle with its manifest, if it has one.
func (j *job) verify(u *unit) error {
	if _, has := u.files[bundle.ManifestFile]; !u.isBundle || !has {
		return nil
	}
	manifest := path.Join(u.path, bundle.ManifestFile)
	f, err := j.folder.Open(path.Join(stageFolder, u.source, bundle.ManifestFile))
	if err != nil {
		return err
	}
	text, err := readManifest(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("read %s: %w", manifest, err)
	}
	digests := map[string]string{}
	for _, name := range u.content() {
		digests[name] = u.files[name].SHA256
	}
	if err := bundle.VerifyManifest(text, digests); err != nil {
		return fmt.Errorf("%s: %w", manifest, err)
	}
	return nil
}

// conflict returns an error if the repository has the model in another form.
func (j *job) conflict(u *unit) error {
	model, has := u.model()
	if !has {
		return nil
	}
	file, bare := model+bundle.ModelSuffix, path.Join(model, bundle.ModelFile)
	switch {
	case u.path == file && j.folder.Exists(model):
		return fmt.Errorf("%s has a folder of the model %s, and the source a file; remove one", j.root, model)
	case u.path != file && j.folder.Exists(file):
		return fmt.Errorf("%s has a file of the model %s, and the source a folder; remove one", j.root, model)
	case u.path != file && !u.isBare && j.folder.Exists(bare):
		return fmt.Errorf("%s has a %s beside its versions; remove it", filepath.Join(j.root, model), bundle.ModelFile)
	case !u.isBare || !j.folder.Exists(model):
		return nil
	}
	entries, err := fs.ReadDir(j.folder.FS(), model)
	for _, e := range entries {
		if _, isVersion := bundle.ParseVersion(e.Name()); isVersion && e.IsDir() {
			return fmt.Errorf("%s has versions, and the source a bare %s; move that into a version's folder", filepath.Join(j.root, model), bundle.ModelFile)
		}
	}
	return err
}
