package repository

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
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
// are a regular file of the repository, and they are those that the scan found.
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
	file, err := folder.Open(name)
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	if _, err = io.Copy(sum, file); err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err == nil && hex.EncodeToString(sum.Sum(nil)) != bundle.ByName(b.Files)[bundle.GoldenFile] {
		err = fmt.Errorf("%w: %s: has changed since the bundle was found", ErrIncomplete, b.Golden)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// Unchanged returns an error if a file of the bundle is not what the scan found any
// more: a load reads them one after another.
func (b Bundle) Unchanged(ctx context.Context) error {
	folder, err := bundle.Open(b.Repository)
	if err != nil {
		return err
	}
	defer folder.Close()
	dir, err := filepath.Rel(b.Repository, b.Dir)
	if err != nil {
		return err
	}
	if err := bundle.Unchanged(ctx, folder, dir, b.Files); err != nil {
		return fmt.Errorf("%w: %w while it was loaded", ErrIncomplete, err)
	}
	return nil
}

// Format returns what the bundle's ONNX file is that is none, or empty if that can't be
// told.
func (b Bundle) Format() string {
	folder, err := bundle.Open(b.Repository)
	if err != nil {
		return ""
	}
	defer folder.Close()
	name, err := filepath.Rel(b.Repository, b.Path)
	if err != nil {
		return ""
	}
	return format(folder, name)
}

func format(folder *bundle.Folder, name string) string {
	file, err := folder.Open(name)
	if err != nil {
		return ""
	}
	defer file.Close()
	return bundle.FormatOf(file)
}

// Size returns the bytes of the bundle's files.
func (b Bundle) Size() (sum int64) {
	for _, file := range b.Files {
		sum += file.Stamp.Size
	}
	return sum
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
		if other := s.otherModel(dir); other != "" {
			b.Err = fmt.Errorf("%w; rename %s to %s", b.Err, other, bundle.ModelFile)
		}
		return b
	}
	if bare { // the configuration lies beside the bundle and belongs to the model
		files = slices.DeleteFunc(files, modelconfig.IsFile)
	}
	if slices.Contains(files, bundle.GoldenFile) {
		b.Golden = filepath.Join(b.Dir, bundle.GoldenFile)
	}
	return s.verify(ctx, b, dir, bundle.ModelFile, files)
}

// verify reads the files of a bundle, those named of dir and those that its ONNX file
// refers to, and sets its error if they are not what the manifest or the ONNX file
// says.
func (s *scan) verify(ctx context.Context, b Bundle, dir, model string, files []string) Bundle {
	if b.Files, b.Err = s.digester.Files(ctx, s.folder, dir, files); b.Err != nil {
		return b
	}
	external, err := s.external(&b, dir, model)
	more, readErr := s.digester.Files(ctx, s.folder, dir, external)
	b.Files = append(b.Files, more...)
	digests := bundle.ByName(b.Files)
	b.Digest = bundle.Fingerprint(digests)
	if _, has := digests[bundle.ManifestFile]; has && model == bundle.ModelFile {
		b.Err = s.checkManifest(filepath.Join(dir, bundle.ManifestFile), digests)
	}
	b.Err = cmp.Or(b.Err, err, readErr)
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
