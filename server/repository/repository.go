// Package repository finds model bundles in a folder, verifies them and watches
// for changes. It does not open a model.
//
//	<repository>/<model>/<version>/model.onnx   a bundle, see package bundle
//	<repository>/<model>/config.yaml            or Triton's config.pbtxt
//	<repository>/<model>/model.onnx             a bare bundle, version 1
//	<repository>/<model>.onnx                   a bare model, version 1
package repository

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"slipway/server/bundle"
	"slipway/server/modelconfig"
)

// State is a repository at one moment.
type State struct {
	Models   []Model // by name
	Problems []error // what belongs to no model and is not read
}

// Model is one model of a repository.
type Model struct {
	Name    string
	Config  modelconfig.Config
	Bundles []Bundle // that the version policy selects, ascending
	Err     error    // why the model cannot be used
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

// Scan reads the repository under folder. Symbolic links are followed and hidden
// names passed over. What is not part of the layout is a problem: what nobody
// reads must not look as if it were served.
func Scan(folder string) (State, error) {
	return new(scanner).scan(context.Background(), folder)
}

// ScanModel reads one model of the repository under folder. It returns false when
// the repository has none of that name.
func ScanModel(ctx context.Context, folder, name string) (Model, bool, error) {
	entries, _, err := bundle.ReadDir(folder)
	if err != nil {
		return Model{}, false, fmt.Errorf("scan repository: %w", err)
	}
	for _, e := range entries {
		if e.Name() != name && e.Name() != name+bundle.ModelSuffix {
			continue
		}
		m, _, err := new(scanner).entry(ctx, folder, e)
		return m, err == nil, err
	}
	return Model{}, false, nil
}

// scanner keeps what it knows from one scan to the next.
type scanner struct{ digester bundle.Digester }

func (s *scanner) scan(ctx context.Context, folder string) (State, error) {
	entries, problems, err := bundle.ReadDir(folder)
	if err != nil {
		return State{}, fmt.Errorf("scan repository: %w", err)
	}
	found := map[string]string{}
	var models []Model
	for _, e := range entries {
		m, others, err := s.entry(ctx, folder, e)
		problems = append(problems, others...)
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
	s.digester.Forget()
	slices.SortFunc(models, func(a, b Model) int { return cmp.Compare(a.Name, b.Name) })
	for i, err := range problems {
		problems[i] = fmt.Errorf("scan repository: %w", err)
	}
	return State{models, problems}, nil
}

// entry reads the model that an entry of the repository is. Problems are what
// else lies in its folder.
func (s *scanner) entry(ctx context.Context, folder string, e fs.FileInfo) (m Model, problems []error, err error) {
	path := filepath.Join(folder, e.Name())
	name, isFile := strings.CutSuffix(e.Name(), bundle.ModelSuffix)
	switch {
	case e.IsDir():
		name = e.Name()
	case !isFile || !e.Mode().IsRegular():
		return Model{}, nil, fmt.Errorf("%s: neither a model folder nor an %s file", path, bundle.ModelSuffix)
	}
	if err := bundle.CheckModelName(name); err != nil {
		return Model{}, nil, err
	}
	if e.IsDir() {
		m, problems = s.model(ctx, path, name)
		return m, problems, nil
	}
	b := s.verify(ctx, Bundle{Model: name, Version: 1, Dir: folder, Path: path}, []string{e.Name()})
	return Model{Name: name, Config: modelconfig.Default(), Bundles: []Bundle{b}}, nil, nil
}

// model reads one model's folder. What is wrong with it is the model's own error.
func (s *scanner) model(ctx context.Context, path, name string) (m Model, problems []error) {
	m = Model{Name: name, Config: modelconfig.Default()}
	config, err := modelconfig.Read(path, name)
	if err != nil {
		m.Err = err
		return m, nil
	}
	m.Config = config
	versions, bare, problems, err := versionsIn(path)
	if err != nil {
		m.Err = err
		return m, problems
	}
	selected, err := choose(m.Config.Versions, versions)
	if err != nil {
		m.Err = fmt.Errorf("%s: %w", path, err)
	}
	for _, version := range selected {
		m.Bundles = append(m.Bundles, s.bundle(ctx, path, name, version, bare))
	}
	return m, problems
}
