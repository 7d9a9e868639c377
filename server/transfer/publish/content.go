package publish

import (
	"bytes"
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

// content is the bundle that is published.
type content struct {
	folder     string
	files      bundle.Manifest // the SHA-256 of each file but the manifest and its signatures
	size       int64           // of those files and the signatures, in bytes
	manifest   []byte
	signatures []string // names of the files that sign the manifest
}

// readContent reads the bundle in a folder, with its own manifest if it has one
// that is right.
func readContent(ctx context.Context, folder string) (*content, error) {
	digests, err := bundle.Digests(ctx, folder)
	if err != nil {
		return nil, err
	}
	names := slices.Sorted(maps.Keys(digests))
	if err := bundle.CheckFiles(names); err != nil {
		return nil, err
	}
	if err := checkExternal(folder, names); err != nil {
		return nil, err
	}
	c := &content{folder: folder, files: bundle.Manifest{}}
	for _, name := range names {
		switch {
		case name == bundle.ManifestFile:
			continue
		case bundle.IsManifest(name):
			c.signatures = append(c.signatures, name)
		default:
			c.files[name] = digests[name]
		}
		info, err := os.Stat(c.path(name))
		if err != nil {
			return nil, err
		}
		c.size += info.Size()
	}
	if digests[bundle.ManifestFile] == "" {
		return c, c.writeManifest()
	}
	return c, c.readManifest(digests)
}

// checkExternal returns an error if the model refers to a file that would not be
// published with it. What is wrong with the model itself is found when it is served.
func checkExternal(folder string, names []string) error {
	file, err := os.Open(filepath.Join(folder, bundle.ModelFile))
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	external, _ := bundle.ReadExternal(file, info.Size())
	for _, e := range external {
		if !slices.Contains(names, filepath.ToSlash(filepath.Clean(e.Location))) {
			return fmt.Errorf("%s refers to %q, which is not among the files of the bundle; put it there, under a name that is not hidden", bundle.ModelFile, e.Location)
		}
	}
	return nil
}

func (c *content) writeManifest() error {
	if len(c.signatures) > 0 {
		return fmt.Errorf("%s signs a %s, which the bundle lacks", strings.Join(c.signatures, ", "), bundle.ManifestFile)
	}
	text := new(bytes.Buffer)
	lines := json.NewEncoder(text)
	lines.SetIndent("", "  ")
	err := lines.Encode(c.files)
	c.manifest = text.Bytes()
	return err
}

func (c *content) readManifest(digests map[string]string) (err error) {
	path := c.path(bundle.ManifestFile)
	if c.manifest, err = os.ReadFile(path); err != nil {
		return err
	}
	if err := bundle.VerifyManifest(c.manifest, digests); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// names returns the names of the files, without the manifest and its signatures.
func (c *content) names() []string { return slices.Sorted(maps.Keys(c.files)) }

func (c *content) open(name string) (*os.File, error) { return os.Open(c.path(name)) }

func (c *content) path(name string) string {
	return filepath.Join(c.folder, filepath.FromSlash(name))
}

// sameAs reports whether a manifest names these very files.
func (c *content) sameAs(manifest []byte) bool {
	other, err := bundle.ParseManifest(manifest)
	return err == nil && maps.Equal(other, c.files)
}
