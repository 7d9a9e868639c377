package repository

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"slipway/server/bundle"
	"slipway/server/modelconfig"
)

// bundle reads one version of a model. A bare one lies in the model's folder.
func (s *scanner) bundle(ctx context.Context, model, name string, version int64, bare bool) Bundle {
	b := Bundle{Model: name, Version: version, Dir: model}
	if !bare {
		b.Dir = filepath.Join(model, strconv.FormatInt(version, 10))
	}
	b.Path = filepath.Join(b.Dir, bundle.ModelFile)
	files, err := bundle.Files(b.Dir)
	switch {
	case err != nil:
		b.Err = err
		return b
	case !slices.Contains(files, bundle.ModelFile):
		b.Err = fmt.Errorf("%s: no such file", b.Path)
		return b
	}
	if bare { // the configuration lies beside the bundle and belongs to the model
		files = slices.DeleteFunc(files, modelconfig.IsFile)
	}
	if slices.Contains(files, bundle.GoldenFile) {
		b.Golden = filepath.Join(b.Dir, bundle.GoldenFile)
	}
	return s.verify(ctx, b, files)
}

// verify sets the bundle's digest, and its error if its manifest disagrees.
func (s *scanner) verify(ctx context.Context, b Bundle, files []string) Bundle {
	digests, err := s.digester.Digests(ctx, b.Dir, files)
	if err != nil {
		b.Err = err
		return b
	}
	b.Digest = bundle.Fingerprint(digests)
	if _, has := digests[bundle.ManifestFile]; has {
		b.Err = checkManifest(filepath.Join(b.Dir, bundle.ManifestFile), digests)
	}
	return b
}

func checkManifest(path string, digests map[string]string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := bundle.VerifyManifest(text, digests); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
