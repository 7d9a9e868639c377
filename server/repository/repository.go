package repository

import (
	"context"
	"slices"

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
	Older   []int64  // versions that may be served when newer ones can't be, descending
	Err     error    // why the model cannot be used

	// Fingerprint is a digest of everything above: two scans that give the same one
	// have found the same.
	Fingerprint string
}

// Bundle is one version of one model.
type Bundle struct {
	Model      string
	Version    int64
	Repository string        // the folder in which all links must stay
	Dir        string        // the folder
	Path       string        // the ONNX file
	Golden     string        // golden.ndjson, or empty
	Files      []bundle.File // with their paths in Dir; what the ONNX file refers to is among them
	Digest     string        // of the names and contents of all of its files
	External   int64         // bytes that the weights beside the ONNX file take
	Err        error         // why this version cannot be used: a file that is missing or differs from the manifest

	// Fingerprint is a digest of the files and of the model's configuration: loading
	// two bundles that have the same one gives the same.
	Fingerprint string
}

// ScanOlder reads one of the older versions of a model of the repository under folder,
// for its configuration.
func (m Model) ScanOlder(ctx context.Context, folder string, version int64) (Bundle, error) {
	s, err := newScanner().open(folder)
	if err != nil {
		return Bundle{}, err
	}
	defer s.folder.Close()
	b := s.bundle(ctx, m.Name, m.Name, version, false)
	b.Fingerprint = m.fingerprintOf(b)
	return b, nil
}

// Scan reads the repository under folder. It follows symbolic links that stay in the
// folder, reads regular files only and skips hidden names. An entry that is not part
// of the layout is a problem: what is not read must not look as if it were served.
func Scan(folder string) (State, error) {
	return newScanner().scan(context.Background(), folder)
}

// ScanModel reads one model of the repository under folder. It returns false when
// the repository has none of that name.
func ScanModel(ctx context.Context, folder, name string) (Model, bool, error) {
	s, err := newScanner().open(folder)
	if err != nil {
		return Model{}, false, err
	}
	defer s.folder.Close()
	entries, _, err := s.entries()
	if err != nil {
		return Model{}, false, err
	}
	for _, e := range entries {
		if e.name != name && e.name != name+bundle.ModelSuffix {
			continue
		}
		m, _, err := s.entry(ctx, e)
		return m, err == nil, err
	}
	return Model{}, false, nil
}
