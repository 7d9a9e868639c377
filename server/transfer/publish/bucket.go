package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"slipway/server/bundle"
	"slipway/server/transfer/progress"
)

// bucket is a model's part of an object store.
type bucket struct {
	*blob.Bucket
	prefix string // with a slash at its end
}

func (b *bucket) close() error { return b.Close() }

func (b *bucket) versions(ctx context.Context) ([]int64, error) {
	for _, key := range []string{b.prefix + bundle.ModelFile, strings.TrimSuffix(b.prefix, "/") + ".onnx"} {
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
	content, err := b.ReadAll(ctx, b.key(version, bundle.ManifestFile))
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, nil
	}
	return content, err
}

func (b *bucket) whole(ctx context.Context, version int64, content *source) (bool, error) {
	for _, name := range content.names() {
		if there, err := b.Exists(ctx, b.key(version, name)); err != nil || !there {
			return false, err
		}
	}
	return true, nil
}

// put writes the manifest first, which takes the number. When it does not come to
// its end, what is there stays: readers leave it out, and the next publisher of the
// same content, perhaps at work already, goes on with it.
func (b *bucket) put(ctx context.Context, version int64, content *source, m *progress.Meter) error {
	err := b.WriteAll(ctx, b.key(version, bundle.ManifestFile), content.manifest, &blob.WriterOptions{ContentType: "application/json", IfNotExist: true})
	if gcerrors.Code(err) == gcerrors.FailedPrecondition {
		theirs, err := b.manifest(ctx, version)
		if err != nil {
			return err
		}
		if !content.isOf(theirs) {
			return errTaken
		}
	} else if err != nil {
		return err
	}
	for _, name := range content.names() {
		if err := b.upload(ctx, b.key(version, name), content, name, m); err != nil {
			return fmt.Errorf("%s: %w; publish the same again to go on", name, err)
		}
	}
	return nil
}

func (b *bucket) upload(ctx context.Context, key string, content *source, name string, m *progress.Meter) error {
	from, err := content.open(name)
	if err != nil {
		return err
	}
	err = b.Upload(ctx, key, m.Reader(ctx, from), &blob.WriterOptions{ContentType: "application/octet-stream"})
	return errors.Join(err, from.Close())
}
