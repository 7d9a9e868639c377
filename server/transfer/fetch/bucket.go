package fetch

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"sync"

	"gocloud.dev/blob"
	"golang.org/x/sync/errgroup"

	"slipway/server/bundle"
	"slipway/server/transfer"
)

// bucket is an object store, of which the keys with a prefix are read.
type bucket struct {
	*blob.Bucket
	prefix string // empty or with a slash at its end; the key of the one object if isOne
	isOne  bool

	mu   sync.Mutex
	pins map[string]*blob.ReaderOptions // by key
}

func openBucket(ctx context.Context, l transfer.Location) (source, error) {
	b, err := l.OpenBucket(ctx)
	if err != nil {
		return nil, err
	}
	key := strings.Trim(l.URL.Path, "/")
	_, single := packingOf(key)
	if !single && key != "" {
		key += "/"
	}
	return &bucket{Bucket: b, prefix: key, isOne: single, pins: map[string]*blob.ReaderOptions{}}, nil
}

func (b *bucket) single() bool { return b.isOne }

func (b *bucket) close() error { return b.Close() }

func (b *bucket) list(ctx context.Context) (objects []object, err error) {
	if b.isOne {
		packing, _ := packingOf(b.prefix)
		objects = []object{{name: path.Base(b.prefix), key: b.prefix, packing: packing}}
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
func (b *bucket) keys(ctx context.Context) (objects []object, err error) {
	for entries := b.List(&blob.ListOptions{Prefix: b.prefix}); ; {
		entry, err := entries.Next(ctx)
		switch {
		case errors.Is(err, io.EOF) && len(objects) == 0:
			return nil, permanent(fmt.Errorf("nothing there; check the prefix %q", b.prefix))
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
		objects = append(objects, object{name: name, key: entry.Key})
	}
}

// describe sets the attributes that the store has of an object.
func (b *bucket) describe(ctx context.Context, o *object) error {
	// Before a request for it: the client would escape what leads out.
	if err := bundle.CheckPath(o.name); err != nil {
		return permanent(err)
	}
	attributes, err := b.Attributes(ctx, o.key)
	if err != nil {
		return err
	}
	o.size, o.tag, o.md5 = attributes.Size, attributes.ETag, hex.EncodeToString(attributes.MD5)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pins[o.key] = transfer.Pin(attributes)
	return nil
}

func (b *bucket) open(ctx context.Context, o object, offset int64) (io.ReadCloser, int64, error) {
	body, err := b.NewRangeReader(ctx, o.key, offset, -1, b.pins[o.key])
	return body, offset, err
}
