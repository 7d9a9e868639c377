package fetch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"golang.org/x/sync/errgroup"

	"slipway/server/transfer/store"
)

// bucket is an object store, or a folder, from prefix on.
type bucket struct {
	*blob.Bucket
	prefix string // "" or with a slash at its end; the key of the one object when isSingle
	isOne  bool

	log *slog.Logger

	mu   sync.Mutex
	pins map[string]pin // by key
}

// openFolder takes a folder, or a file as the one object of its folder.
func openFolder(name string, log *slog.Logger) (source, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	folder, key := name, ""
	if !info.IsDir() {
		folder, key = filepath.Split(name)
		if _, single := packingOf(key); !single {
			return nil, fmt.Errorf("%s is neither a folder nor an .onnx, .tar.gz or .tgz file", name)
		}
	}
	if folder, err = filepath.EvalSymlinks(cmp.Or(folder, ".")); err != nil {
		return nil, err
	}
	b, err := fileblob.OpenBucket(folder, &fileblob.Options{Metadata: fileblob.MetadataDontWrite})
	if err != nil {
		return nil, err
	}
	return &bucket{Bucket: b, prefix: key, isOne: key != "", log: log, pins: map[string]pin{}}, nil
}

func openBucket(ctx context.Context, u *url.URL, log *slog.Logger) (source, error) {
	b, err := store.Open(ctx, u)
	if err != nil {
		return nil, err
	}
	key := strings.Trim(u.Path, "/")
	_, single := packingOf(key)
	if !single && key != "" {
		key += "/"
	}
	return &bucket{Bucket: b, prefix: key, isOne: single, log: log, pins: map[string]pin{}}, nil
}

func (b *bucket) single() bool { return b.isOne }

func (b *bucket) close() error { return b.Close() }

func (b *bucket) list(ctx context.Context) ([]object, error) {
	if b.isOne {
		packing, _ := packingOf(b.prefix)
		objects := []object{{name: path.Base(b.prefix), key: b.prefix, packing: packing}}
		return objects, b.describe(ctx, &objects[0])
	}
	var objects []object
	for entries := b.List(&blob.ListOptions{Prefix: b.prefix}); ; {
		entry, err := entries.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		name := strings.TrimPrefix(entry.Key, b.prefix)
		// A key with a slash at its end is how consoles make an empty folder.
		if entry.IsDir || strings.HasSuffix(entry.Key, "/") {
			continue
		}
		// Before it is asked for: the client would escape what leads out.
		if err := checkPath(name); err != nil {
			return nil, err
		}
		if isHidden(name) {
			continue
		}
		objects = append(objects, object{name: name, key: entry.Key})
	}
	if len(objects) == 0 {
		return nil, permanent(fmt.Errorf("nothing there; check the prefix %q", b.prefix))
	}
	group, describing := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i := range objects {
		group.Go(func() error { return b.describe(describing, &objects[i]) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return b.finished(ctx, objects)
}

func (b *bucket) describe(ctx context.Context, o *object) error {
	attributes, err := b.Attributes(ctx, o.key)
	if err != nil {
		return err
	}
	o.size, o.tag = attributes.Size, attributes.ETag
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pins[o.key] = newPin(attributes)
	return nil
}

func (b *bucket) open(ctx context.Context, o object, offset int64) (io.ReadCloser, int64, error) {
	body, err := b.NewRangeReader(ctx, o.key, offset, -1, &blob.ReaderOptions{BeforeRead: b.pins[o.key].apply})
	if err != nil {
		return nil, 0, err
	}
	return body, offset, nil
}
