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
	Problems []error // entries that belong to no model and are not read
}

// Has reports whether the repository has a model of that name.
func (s State) Has(name string) bool {
	return slices.ContainsFunc(s.Models, func(m Model) bool { return m.Name == name })
}

// Model is one model of a repository.
type Model struct {
	Name    string
	Config  modelconfig.Config
	Bundles []Bundle // that the version policy selects, ascending
	Err     error    // why the model cannot be used

	// Fingerprint is a digest of everything above: two scans that give the same one
	// have found the same.
	Fingerprint string
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

	// Fingerprint is a digest of the files and of the model's configuration: loading
	// two bundles that have the same one gives the same.
	Fingerprint string
}

// Scan reads the repository under folder. It follows symbolic links and skips
// hidden names. An entry that is not part of the layout is a problem: what is not
// read must not look as if it were served.
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

// scanner keeps the digests of large files from one scan to the next.
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

// entry reads the model that is one entry of the repository. Problems are the
// entries of its folder that belong to no version.
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
		m.fingerprint()
		return m, problems, nil
	}
	b := s.verify(ctx, Bundle{Model: name, Version: 1, Dir: folder, Path: path}, []string{e.Name()})
	m = Model{Name: name, Config: modelconfig.Default(), Bundles: []Bundle{b}}
	m.fingerprint()
	return m, nil, nil
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
