package repository

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"slipway/server/bundle"
)

// references are what the ONNX file with that digest refers to.
type references struct {
	digest string
	files  []bundle.External
}

func newScanner() *scanner { return &scanner{references: map[string]references{}} }

// external returns the files beyond those of a bundle that its ONNX file refers to, by
// their paths in dir. The error is about the first one that ONNX Runtime would refuse.
func (s *scan) external(b *Bundle, dir, model string) (more []string, err error) {
	files, err := s.referencesOf(b, filepath.Join(dir, model))
	if err != nil {
		return nil, err
	}
	listed := map[string]bool{}
	for _, file := range b.Files {
		listed[file.Name] = true
	}
	for _, e := range files {
		name := filepath.Clean(e.Location)
		size, wrong := s.checkExternal(dir, model, e)
		if wrong != nil && err == nil {
			err = fmt.Errorf("%s refers to %q, which %w", b.Path, e.Location, wrong)
		}
		if !filepath.IsLocal(name) {
			continue
		}
		if dir == "." {
			top, _, _ := strings.Cut(name, "/")
			s.parts[top] = true
		}
		if size >= 0 && !listed[name] {
			listed[name] = true
			more = append(more, name)
		}
		if e.Unsized { // such tensors share the file
			e.Bytes = max(e.Bytes, size)
		}
		b.External += e.Bytes
	}
	return more, err
}

// referencesOf reads what an ONNX file refers to unless it is known. What is wrong with
// the file is found when it is loaded.
func (s *scan) referencesOf(b *Bundle, name string) ([]bundle.External, error) {
	at := slices.IndexFunc(b.Files, func(f bundle.File) bool { return f.Name == filepath.Base(name) })
	if known := s.references[b.Path]; known.digest == b.Files[at].Digest {
		return known.files, nil
	}
	file, err := s.folder.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	files, _ := bundle.ReadExternal(file, b.Files[at].Stamp.Size)
	s.references[b.Path] = references{b.Files[at].Digest, files}
	return files, nil
}

// checkExternal returns the size of a file that an ONNX file in dir refers to, -1 if
// there is none, and why ONNX Runtime would refuse it.
func (s *scan) checkExternal(dir, model string, e bundle.External) (size int64, err error) {
	if !filepath.IsLocal(e.Location) {
		return -1, errors.New("is not in the folder of the ONNX file; put it there")
	}
	name := filepath.Join(dir, e.Location)
	if !s.folder.Has(name) {
		return -1, fmt.Errorf("is not there: %w", ErrIncomplete)
	}
	info, err := s.folder.Stat(name)
	switch {
	case err != nil:
		return -1, fmt.Errorf("can't be used: %w", err)
	case !info.Mode().IsRegular():
		return -1, errors.New("is not a file")
	case !s.folder.Beside(filepath.Join(dir, model), name):
		return info.Size(), errors.New("is a link out of the folder of the ONNX file; put the file there")
	case info.Size() < e.End:
		err = fmt.Errorf("has %d bytes of the %d that the ONNX file needs: %w", info.Size(), e.End, ErrIncomplete)
		if is := format(s.folder, name); is != "" && info.Size() > 0 {
			err = fmt.Errorf("%w; it is %s", err, is)
		}
		return info.Size(), err
	}
	return info.Size(), nil
}

// forgetReferences drops those of ONNX files that no longer exist.
func (s *scan) forgetReferences() {
	maps.DeleteFunc(s.references, func(path string, _ references) bool {
		name, err := filepath.Rel(s.path, path)
		return err != nil || !s.folder.Has(name)
	})
}
