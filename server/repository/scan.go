package repository

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"slipway/server/bundle"
	"slipway/server/modelconfig"
)

// scanner keeps the digests of large files, and what ONNX files refer to, from one
// scan to the next.
type scanner struct {
	digester   bundle.Digester
	references map[string]references // by path of the ONNX file
}

// scan is one scan of a folder.
type scan struct {
	*scanner
	path   string
	folder *bundle.Folder
	parts  map[string]bool // entries of the folder that models in it refer to
}

func (s *scanner) open(path string) (*scan, error) {
	folder, err := bundle.Open(path)
	if err != nil {
		return nil, fmt.Errorf("scan repository: %w", err)
	}
	return &scan{scanner: s, path: path, folder: folder, parts: map[string]bool{}}, nil
}

func (s *scanner) scan(ctx context.Context, path string) (State, error) {
	now, err := s.open(path)
	if err != nil {
		return State{}, err
	}
	defer now.folder.Close()
	return now.all(ctx)
}

func (s *scan) all(ctx context.Context) (State, error) {
	entries, problems, err := s.entries()
	if err != nil {
		return State{}, err
	}
	for i := range entries {
		entries[i].read(ctx, s)
	}
	found := map[string]string{}
	var models []Model
	for _, e := range entries {
		if s.parts[e.name] && !e.isModel() {
			continue
		}
		problems = append(problems, e.problems...)
		if e.err != nil {
			problems = append(problems, e.err)
			continue
		}
		if other, twice := found[e.model.Name]; twice {
			problems = append(problems, fmt.Errorf("model %q is both %s and %s; keep one", e.model.Name, other, e.name))
			continue
		}
		found[e.model.Name] = e.name
		models = append(models, e.model)
	}
	s.digester.Forget()
	s.forgetReferences()
	slices.SortFunc(models, func(a, b Model) int { return cmp.Compare(a.Name, b.Name) })
	for i, err := range problems {
		problems[i] = fmt.Errorf("scan repository: %w", err)
	}
	return State{models, problems}, nil
}

// entry is what the repository's folder has under a name.
type entry struct {
	name string
	mode fs.FileMode
	err  error // of a link that can't be followed, and why it is no model when it was read

	model    Model
	problems []error // entries of its folder that belong to no version
}

// read reads the model that the entry is.
func (e *entry) read(ctx context.Context, s *scan) { e.model, e.problems, e.err = s.entry(ctx, *e) }

// isModel reports whether an entry that was read is a model, whole or not.
func (e *entry) isModel() bool { return e.err == nil && !errors.Is(e.model.Err, errNoVersion) }

// entries lists the repository's folder. Links that can't be followed are entries
// when they are named as a model may be, since a model is what they were to be, else
// problems.
func (s *scan) entries() (all []entry, problems []error, err error) {
	infos, broken, err := s.folder.ReadDir(".")
	if err != nil {
		return nil, nil, fmt.Errorf("scan repository: %w", err)
	}
	for _, i := range infos {
		all = append(all, entry{name: i.Name(), mode: i.Mode()})
	}
	for _, b := range broken {
		if bundle.CheckModelName(b.Name) != nil {
			problems = append(problems, b.Err)
			continue
		}
		all = append(all, entry{name: b.Name, err: b.Err})
	}
	return all, problems, nil
}

// entry reads the model that is one entry of the repository. Problems are the
// entries of its folder that belong to no version.
func (s *scan) entry(ctx context.Context, e entry) (m Model, problems []error, err error) {
	name, isFile := strings.CutSuffix(e.name, bundle.ModelSuffix)
	switch {
	case e.mode.IsDir():
		name = e.name
	case e.err == nil && (!isFile || !e.mode.IsRegular()):
		return Model{}, nil, fmt.Errorf("%s: neither a model folder nor an %s file", s.folder.Path(e.name), bundle.ModelSuffix)
	}
	if err := bundle.CheckModelName(name); err != nil {
		return Model{}, nil, err
	}
	switch {
	case e.err != nil:
		m = Model{Name: name, Config: modelconfig.Default(), Err: e.err}
	case e.mode.IsDir():
		m, problems = s.model(ctx, e.name)
	default:
		b := Bundle{Model: name, Version: 1, Repository: s.path, Dir: s.path, Path: s.folder.Path(e.name)}
		b = s.verify(ctx, b, ".", e.name, []string{e.name})
		m = Model{Name: name, Config: modelconfig.Default(), Bundles: []Bundle{b}}
	}
	m.fingerprint()
	return m, problems, nil
}

// model reads one model's folder. What is wrong with it is the model's own error.
func (s *scan) model(ctx context.Context, name string) (m Model, problems []error) {
	m = Model{Name: name, Config: modelconfig.Default()}
	config, err := modelconfig.Read(s.folder, name, name)
	if err != nil {
		m.Err = err
		return m, nil
	}
	m.Config = config
	versions, bare, problems, err := s.versionsIn(name)
	if err != nil {
		m.Err = err
		return m, problems
	}
	selected, older, err := choose(m.Config.Versions, versions)
	m.Older = older
	if err != nil {
		m.Err = fmt.Errorf("%s: %w", s.folder.Path(name), err)
	}
	for _, version := range selected {
		m.Bundles = append(m.Bundles, s.bundle(ctx, name, name, version, bare))
	}
	return m, problems
}
