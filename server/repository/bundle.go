package repository

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"slipway/server/bundle"
	"slipway/server/modelconfig"
)

// ErrIncomplete is why a model or a version can't be used as long as what it needs is
// not there, or is not what its manifest names: it may be being copied.
var ErrIncomplete = errors.New("incomplete")

// OpenGolden opens the bundle's golden answers, which it must have. As in a scan, they
// are a regular file of the repository.
func (b Bundle) OpenGolden() (*os.File, error) {
	folder, err := bundle.Open(b.Repository)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	name, err := filepath.Rel(b.Repository, b.Golden)
	if err != nil {
		return nil, err
	}
	return folder.Open(name)
}

// bundle reads one version of a model in its folder. A bare one lies in that folder.
func (s *scan) bundle(ctx context.Context, folder, name string, version int64, bare bool) Bundle {
	dir := folder
	if !bare {
		dir = filepath.Join(folder, strconv.FormatInt(version, 10))
	}
	file := filepath.Join(dir, bundle.ModelFile)
	b := Bundle{Model: name, Version: version, Repository: s.path, Dir: s.folder.Path(dir), Path: s.folder.Path(file)}
	files, err := s.folder.Files(dir)
	switch {
	case err != nil:
		b.Err = err
		return b
	case !slices.Contains(files, bundle.ModelFile):
		b.Err = fmt.Errorf("%w: %s: no such file", ErrIncomplete, b.Path)
		return b
	}
	if bare { // the configuration lies beside the bundle and belongs to the model
		files = slices.DeleteFunc(files, modelconfig.IsFile)
	}
	if slices.Contains(files, bundle.GoldenFile) {
		b.Golden = filepath.Join(b.Dir, bundle.GoldenFile)
	}
	return s.verify(ctx, b, dir, files)
}

// verify sets the digest of a bundle, files of dir, and its error if its manifest
// disagrees.
func (s *scan) verify(ctx context.Context, b Bundle, dir string, files []string) Bundle {
	digests, err := s.digester.Digests(ctx, s.folder, dir, files)
	if err != nil {
		b.Err = err
		return b
	}
	b.Digest = bundle.Fingerprint(digests)
	if _, has := digests[bundle.ManifestFile]; has {
		b.Err = s.checkManifest(filepath.Join(dir, bundle.ManifestFile), digests)
	}
	return b
}

func (s *scan) checkManifest(name string, digests map[string]string) error {
	text, err := s.folder.ReadFile(name, bundle.MaxManifestBytes)
	if err != nil {
		return err
	}
	if err := bundle.VerifyManifest(text, digests); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrIncomplete, s.folder.Path(name), err)
	}
	return nil
}
