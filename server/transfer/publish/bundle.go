package publish

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"slipway/server/bundle"
)

// source is the bundle that is published. Names have slashes.
type source struct {
	folder   string
	digests  map[string]string // of each file but the manifest, in hex
	size     int64             // of those, in bytes
	manifest []byte
}

// readBundle takes the bundle's own manifest, if it has one that is right.
func readBundle(ctx context.Context, folder string) (*source, error) {
	all, err := bundle.Digests(ctx, folder)
	if err != nil {
		return nil, err
	}
	if all[bundle.ModelFile] == "" {
		return nil, fmt.Errorf("a bundle is a folder with a %s, which this one lacks", bundle.ModelFile)
	}
	b := &source{folder: folder, digests: maps.Clone(all)}
	delete(b.digests, bundle.ManifestFile)
	for name := range b.digests {
		info, err := os.Stat(b.path(name))
		if err != nil {
			return nil, err
		}
		b.size += info.Size()
	}
	if all[bundle.ManifestFile] == "" {
		b.manifest, err = newManifest(b.digests)
		return b, err
	}
	path := filepath.Join(folder, bundle.ManifestFile)
	if b.manifest, err = os.ReadFile(path); err != nil {
		return nil, err
	}
	m, err := bundle.ParseManifest(b.manifest)
	if err == nil {
		err = m.Verify(all)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

func newManifest(digests map[string]string) ([]byte, error) {
	files := map[string]string{}
	for name, sum := range digests {
		files[name] = "sha256:" + sum
	}
	manifest, err := json.MarshalIndent(map[string]any{"files": files}, "", "  ")
	return append(manifest, '\n'), err
}

// names are of the files but the manifest.
func (b *source) names() []string { return slices.Sorted(maps.Keys(b.digests)) }

// open opens one of the names.
func (b *source) open(name string) (*os.File, error) {
	return os.Open(b.path(name))
}

func (b *source) path(name string) string {
	return filepath.Join(b.folder, filepath.FromSlash(name))
}

// isOf tells whether a manifest names these very files.
func (b *source) isOf(manifest []byte) bool {
	var m struct {
		Files map[string]string `json:"files"`
	}
	if json.Unmarshal(manifest, &m) != nil || len(m.Files) == 0 {
		return false
	}
	return maps.EqualFunc(m.Files, b.digests, func(theirs, ours string) bool {
		return strings.ToLower(strings.TrimPrefix(theirs, "sha256:")) == ours
	})
}
