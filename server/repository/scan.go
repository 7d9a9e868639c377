package repository

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"slipway/server/bundle"
	"slipway/server/modelconfig"
)

// scanner keeps the digests of large files from one scan to the next.
type scanner struct{ digester bundle.Digester }

// scan is one scan of a folder.
type scan struct {
	*scanner
	path   string
	folder *bundle.Folder
}

func (s *scanner) open(path string) (*scan, error) {
	folder, err := bundle.Open(path)
	if err != nil {
		return nil, fmt.Errorf("scan repository: %w", err)
	}
	return &scan{s, path, folder}, nil
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
	found := map[string]string{}
	var models []Model
	for _, e := range entries {
		m, others, err := s.entry(ctx, e)
		problems = append(problems, others...)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		if other, twice := found[m.Name]; twice {
			problems = append(problems, fmt.Errorf("model %q is both %s and %s; keep one", m.Name, other, e.name))
			continue
		}
		found[m.Name] = e.name
		models = append(models, m)
	}
	s.digester.Forget()
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
	err  error // of a link that can't be followed
}

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
		b = s.verify(ctx, b, ".", []string{e.name})
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
	selected, err := choose(m.Config.Versions, versions)
	if err != nil {
		m.Err = fmt.Errorf("%s: %w", s.folder.Path(name), err)
	}
	for _, version := range selected {
		m.Bundles = append(m.Bundles, s.bundle(ctx, name, name, version, bare))
	}
	return m, problems
}
