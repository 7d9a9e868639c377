package source

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"gocloud.dev/blob"
	"golang.org/x/sync/errgroup"

	"slipway/server/bundle"
	"slipway/server/transfer"
)

const parallel = 4 // requests at once

// bucket is an object store, of which the keys with a prefix are read.
type bucket struct {
	blobs  *blob.Bucket
	prefix string // empty or with a slash at its end; the key of the one object if isOne
	isOne  bool
	stall  time.Duration // a request of the list that takes so long has failed
}

func openBucket(ctx context.Context, l transfer.Location, stall time.Duration) (Source, error) {
	b, err := l.OpenBucket(ctx)
	if err != nil {
		return nil, err
	}
	key := strings.Trim(l.URL.Path, "/")
	_, single := packingOf(key)
	if !single && key != "" {
		key += "/"
	}
	return &bucket{blobs: b, prefix: key, isOne: single, stall: stall}, nil
}

func (b *bucket) Single() bool { return b.isOne }

func (b *bucket) Close() error { return b.blobs.Close() }

func (b *bucket) List(ctx context.Context) (objects []Object, err error) {
	if b.isOne {
		packing, _ := packingOf(b.prefix)
		objects = []Object{{Name: path.Base(b.prefix), Key: b.prefix, Packing: packing}}
	} else if objects, err = b.keys(ctx); err != nil {
		return nil, err
	}
	group, describing := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i := range objects {
		group.Go(func() error { return b.describe(describing, &objects[i]) })
	}
	return objects, group.Wait()
}

// keys lists the objects below the prefix.
func (b *bucket) keys(ctx context.Context) (objects []Object, err error) {
	for entries := b.blobs.List(&blob.ListOptions{Prefix: b.prefix}); ; {
		entry, err := within(ctx, b.stall, entries.Next)
		switch {
		case errors.Is(err, io.EOF) && len(objects) == 0:
			return nil, Permanent(fmt.Errorf("nothing there; check the prefix %q", b.prefix))
		case errors.Is(err, io.EOF):
			return objects, nil
		case err != nil:
			return nil, err
		}
		name := strings.TrimPrefix(entry.Key, b.prefix)
		// A key with a slash at its end is how consoles make an empty folder.
		if entry.IsDir || strings.HasSuffix(entry.Key, "/") {
			continue
		}
		if len(objects) == MaxObjects {
			return nil, TooMany()
		}
		objects = append(objects, Object{Name: name, Key: entry.Key})
	}
}

// describe sets the attributes that the store has of an object.
func (b *bucket) describe(ctx context.Context, o *Object) error {
	// Before a request for it: the client would escape what leads out.
	if err := bundle.CheckPath(o.Name); err != nil {
		return Permanent(err)
	}
	attributes, err := within(ctx, b.stall, func(ctx context.Context) (*blob.Attributes, error) { return b.blobs.Attributes(ctx, o.Key) })
	if err != nil {
		return err
	}
	o.Size, o.Tag, o.md5 = attributes.Size, attributes.ETag, hex.EncodeToString(attributes.MD5)
	o.pin = pin(attributes)
	return nil
}

func (b *bucket) Open(ctx context.Context, o Object, offset int64) (io.ReadCloser, int64, error) {
	body, err := b.blobs.NewRangeReader(ctx, o.Key, offset, -1, o.pin)
	return body, offset, err
}
