package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
)

// finished leaves out the versions that somebody is at work on: publishing to a
// store begins with MANIFEST.json, which names files that are not there yet.
func (b *bucket) finished(ctx context.Context, objects []object) ([]object, error) {
	there := map[string]bool{}
	for _, o := range objects {
		there[o.name] = true
	}
	missing := map[string]string{} // by version, the first
	for _, o := range objects {
		version := path.Dir(o.name)
		if path.Base(o.name) != manifestFile || !isVersion(path.Base(version)) {
			continue
		}
		sums, err := b.manifest(ctx, o)
		if err != nil {
			return nil, err
		}
		for _, name := range slices.Sorted(maps.Keys(sums)) {
			if !there[path.Join(version, name)] {
				missing[version] = path.Join(version, name)
				break
			}
		}
	}
	objects = slices.DeleteFunc(objects, func(o object) bool {
		for version := range missing {
			if strings.HasPrefix(o.name, version+"/") {
				return true
			}
		}
		return false
	})
	for _, version := range slices.Sorted(maps.Keys(missing)) {
		if len(objects) == 0 {
			return nil, permanent(isMissing(missing[version]))
		}
		b.log.Warn("left out a version that is not published to its end", "version", version, "missing", missing[version])
	}
	return objects, nil
}

// manifest is nil when it makes no sense, which is found once all is here.
func (b *bucket) manifest(ctx context.Context, o object) (map[string]string, error) {
	body, _, err := b.open(ctx, o, 0)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", o.name, err)
	}
	text, err := io.ReadAll(body)
	if err := errors.Join(err, body.Close()); err != nil {
		return nil, fmt.Errorf("read %s: %w", o.name, err)
	}
	sums, err := parseManifest(text)
	if err != nil {
		return nil, nil //nolint:nilerr // as the comment says
	}
	return sums, nil
}
