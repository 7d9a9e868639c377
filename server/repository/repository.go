// Package repository finds model bundles in a folder, verifies them and watches
// for changes. It knows where files lie and what a bundle is made of; it does not
// open a model.
//
//	<repository>/<model>/<version>/model.onnx   and golden.ndjson, MANIFEST.json beside it
//	<repository>/<model>/config.yaml            or Triton's config.pbtxt
//	<repository>/<model>/model.onnx             version 1
//	<repository>/<model>.onnx                   version 1
package repository

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

const (
	modelFile  = "model.onnx"
	goldenFile = "golden.ndjson"
	yamlFile   = "config.yaml"
	pbtxtFile  = "config.pbtxt"
)

// ManifestFile names the files of a version and their digests.
const ManifestFile = "MANIFEST.json"

// State is a repository as it lies there at one moment.
type State struct {
	Models   []Model // by name
	Problems []error // what is in the way and belongs to no model
}

// Model is one model of a repository.
type Model struct {
	Name     string
	Settings Settings
	Bundles  []Bundle // that the version policy chooses, ascending
	Err      error    // why the model cannot be used as it lies there
}

// Bundle is one version of one model.
type Bundle struct {
	Model   string
	Version int64
	Dir     string // the folder
	Path    string // the ONNX file
	Golden  string // golden.ndjson, or empty
	Digest  string // of the names and contents of all of its files
	Err     error  // why this version cannot be used: a file that is missing or differs from the manifest
}

// Scan reads the repository under folder. Symbolic links are followed and names
// that start with a dot left out, as a mounted ConfigMap needs, and those that end in
// .tmp or .partial, under which somebody may be writing. What is not part of the
// layout is a problem: what nobody reads must not look as if it were served.
func Scan(folder string) (State, error) {
	return (&scanner{}).scan(context.Background(), folder)
}

// ScanModel reads one model of the repository under folder. It is false when the
// repository has none of that name.
func ScanModel(ctx context.Context, folder, name string) (Model, bool, error) {
	entries, _, err := list(folder)
	if err != nil {
		return Model{}, false, fmt.Errorf("scan repository: %w", err)
	}
	for _, e := range entries {
		if e.Name() != name && e.Name() != name+".onnx" {
			continue
		}
		m, _, err := (&scanner{}).entry(ctx, folder, e)
		return m, err == nil, err
	}
	return Model{}, false, nil
}

// scanner remembers digests from one scan to the next.
type scanner struct{ digests map[string]remembered } // by path

func (s *scanner) scan(ctx context.Context, folder string) (State, error) {
	entries, problems, err := list(folder)
	if err != nil {
		return State{}, fmt.Errorf("scan repository: %w", err)
	}
	found := map[string]string{}
	var models []Model
	for _, e := range entries {
		m, stray, err := s.entry(ctx, folder, e)
		problems = append(problems, stray...)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		if other, twice := found[m.Name]; twice {
			problems = append(problems, fmt.Errorf("model %q is both %s and %s; keep one", m.Name, other, e.Name()))
			continue
		}
		found[m.Name] = e.Name()
		models = append(models, m)
	}
	s.forget()
	slices.SortFunc(models, func(a, b Model) int { return cmp.Compare(a.Name, b.Name) })
	for i, err := range problems {
		problems[i] = fmt.Errorf("scan repository: %w", err)
	}
	return State{models, problems}, nil
}

// entry is the model that an entry of the repository is, and what lies in the way in it.
func (s *scanner) entry(ctx context.Context, folder string, e fs.FileInfo) (m Model, stray []error, err error) {
	path := filepath.Join(folder, e.Name())
	name, isFile := strings.CutSuffix(e.Name(), ".onnx")
	switch {
	case e.IsDir():
		name = e.Name()
	case !isFile || !e.Mode().IsRegular():
		return Model{}, nil, fmt.Errorf("%s: neither a model folder nor an .onnx file", path)
	}
	if err := CheckName(name); err != nil {
		return Model{}, nil, err
	}
	if e.IsDir() {
		m, stray = s.model(ctx, path, name)
		return m, stray, nil
	}
	b := s.verify(ctx, Bundle{Model: name, Version: 1, Dir: folder, Path: path}, []string{e.Name()})
	return Model{Name: name, Settings: Default(), Bundles: []Bundle{b}}, nil, nil
}

// model reads one model's folder; what is wrong with it is the model's own error.
func (s *scanner) model(ctx context.Context, path, name string) (m Model, stray []error) {
	m = Model{Name: name, Settings: Default()}
	settings, err := readSettings(path, name)
	if err != nil {
		m.Err = err
		return m, nil
	}
	m.Settings = settings
	versions, bare, stray, err := versionsIn(path)
	if err != nil {
		m.Err = err
		return m, stray
	}
	chosen, err := m.Settings.Versions.choose(versions)
	if err != nil {
		m.Err = fmt.Errorf("%s: %w", path, err)
	}
	for _, version := range chosen {
		m.Bundles = append(m.Bundles, s.bundle(ctx, path, name, version, bare))
	}
	return m, stray
}
