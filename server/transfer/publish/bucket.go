package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"slipway/server/bundle"
	"slipway/server/transfer"
)

// bucket is a model's part of an object store.
type bucket struct {
	*blob.Bucket
	prefix string // with a slash at its end
}

func (b *bucket) close() error { return b.Close() }

func (b *bucket) versions(ctx context.Context) ([]int64, error) {
	for _, key := range []string{b.prefix + bundle.ModelFile, strings.TrimSuffix(b.prefix, "/") + bundle.ModelSuffix} {
		bare, err := b.Exists(ctx, key)
		if err != nil {
			return nil, err
		}
		if bare {
			return nil, errBare
		}
	}
	var versions []int64
	for entries := b.List(&blob.ListOptions{Prefix: b.prefix, Delimiter: "/"}); ; {
		entry, err := entries.Next(ctx)
		if errors.Is(err, io.EOF) {
			return versions, nil
		}
		if err != nil {
			return nil, err
		}
		if n, ok := bundle.ParseVersion(strings.TrimSuffix(strings.TrimPrefix(entry.Key, b.prefix), "/")); ok && entry.IsDir {
			versions = append(versions, n)
		}
	}
}

func (b *bucket) key(version int64, name string) string {
	return b.prefix + strconv.FormatInt(version, 10) + "/" + name
}

func (b *bucket) manifest(ctx context.Context, version int64) ([]byte, error) {
	text, err := b.ReadAll(ctx, b.key(version, bundle.ManifestFile))
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, nil
	}
	return text, err
}

func (b *bucket) complete(ctx context.Context, version int64, c *content) (bool, error) {
	for _, name := range c.names() {
		if exists, err := b.Exists(ctx, b.key(version, name)); err != nil || !exists {
			return false, err
		}
	}
	return true, nil
}

// put writes the manifest first, which reserves the number. What an interrupted
// put has written stays: readers leave it out, and the next publisher of the same
// content, who may be at work already, resumes it.
func (b *bucket) put(ctx context.Context, version int64, c *content, m *transfer.Meter) error {
	written := c.manifest
	err := b.WriteAll(ctx, b.key(version, bundle.ManifestFile), c.manifest, &blob.WriterOptions{ContentType: "application/json", IfNotExist: true})
	if gcerrors.Code(err) == gcerrors.FailedPrecondition {
		written, err = b.manifest(ctx, version)
	}
	if err != nil {
		return err
	}
	if !c.sameAs(written) {
		return errTaken
	}
	names := c.names()
	if bytes.Equal(written, c.manifest) { // else the signatures are of another text
		names = slices.Concat(c.signatures, names) // first: the version is complete with the last of the others
	}
	for _, name := range names {
		if err := b.upload(ctx, b.key(version, name), c, name, m); err != nil {
			return fmt.Errorf("%s: %w; publish the same again to resume", name, err)
		}
	}
	return nil
}

func (b *bucket) upload(ctx context.Context, key string, c *content, name string, m *transfer.Meter) error {
	from, err := c.open(name)
	if err != nil {
		return err
	}
	err = b.Upload(ctx, key, m.Reader(ctx, from), &blob.WriterOptions{ContentType: "application/octet-stream"})
	return errors.Join(err, from.Close())
}
