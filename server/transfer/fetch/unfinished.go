package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"slipway/server/bundle"
	"slipway/server/transfer/source"
)

// leaveOutUnfinished drops the versions that somebody is still publishing: they
// lack their model, or a file that their manifest names. A version in a store
// begins with its manifest.
func (j *job) leaveOutUnfinished(ctx context.Context) error {
	var unfinished []string
	units := j.units
	j.units = nil
	for _, u := range units {
		missing, err := j.expectManifest(ctx, u)
		switch {
		case err != nil:
			return err
		case missing == "" || u.isBare:
			j.units = append(j.units, u)
		default:
			unfinished = append(unfinished, missing)
		}
	}
	hasModel := slices.ContainsFunc(j.units, func(u *unit) bool { return u.isBundle || strings.HasSuffix(u.path, bundle.ModelSuffix) })
	for _, reason := range unfinished {
		if !hasModel {
			return source.Permanent(fmt.Errorf("%s; publish the complete bundle", reason))
		}
		j.Log.Warn("left out a version that is not published to its end", "reason", reason)
	}
	return nil
}

// expectManifest sets the SHA-256 of the files that a bundle's manifest names, and
// returns what the bundle lacks, or empty. A manifest that can't be read is no error
// yet: verify reports it, when the bundle is complete.
func (j *job) expectManifest(ctx context.Context, u *unit) (missing string, err error) {
	has := func(name string) bool { _, exists := u.files[name]; return exists }
	switch {
	case !u.isBundle:
		return "", nil
	case !has(bundle.ManifestFile) && !has(bundle.ModelFile):
		return path.Join(u.source, bundle.ModelFile) + " is missing", nil
	case !has(bundle.ManifestFile):
		return "", nil
	}
	at := path.Join(u.source, bundle.ManifestFile)
	var text []byte
	err = retry(ctx, j.Options, func() (bool, error) {
		return false, paced(ctx, j.Stall, func(ctx context.Context, came func(int)) error {
			body, _, err := j.source.Open(ctx, u.files[bundle.ManifestFile], 0)
			if err != nil {
				return err
			}
			text, err = readManifest(reporting{body, came})
			return errors.Join(err, body.Close())
		})
	})
	if err != nil {
		return "", fmt.Errorf("read %s: %w", at, err)
	}
	manifest, err := bundle.ParseManifest(text)
	if err != nil {
		return "", nil //nolint:nilerr // as the comment says
	}
	sum := sha256.Sum256(text)
	u.expect(bundle.ManifestFile, hex.EncodeToString(sum[:]))
	for name, digest := range manifest {
		if has(name) {
			u.expect(name, digest)
		}
	}
	if lacking := manifest.Missing(has); lacking != "" {
		return fmt.Sprintf("%s is named in its %s and missing", path.Join(u.source, lacking), bundle.ManifestFile), nil
	}
	return "", nil
}

// expect sets the SHA-256 of a file, if the source has not given one.
func (u *unit) expect(name, digest string) {
	if o := u.files[name]; o.SHA256 == "" {
		o.SHA256 = digest
		u.files[name] = o
	}
}
