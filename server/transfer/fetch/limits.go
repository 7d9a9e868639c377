package fetch

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync/atomic"
	"syscall"

	"slipway/server/bundle"
	"slipway/server/transfer"
	"slipway/server/transfer/source"
)

// Bounds of what a source may have, whatever it says of itself.
const (
	maxName     = 1024                // bytes of a path, as of an object store's keys
	maxElement  = 255                 // bytes between two slashes, as file systems allow
	maxDepth    = bundle.MaxDepth + 2 // MODEL/VERSION and the folders of a bundle
	maxManifest = 16 << 20            // bytes of a MANIFEST.json, which is read into memory: 150 for each of source.MaxObjects
)

// checkName returns an error for a path of the source that can't become a file.
func checkName(name string) error {
	if err := bundle.CheckPath(name); err != nil {
		return err
	}
	if len(name) > maxName {
		return fmt.Errorf("file name %q…: longer than %d bytes", name[:maxElement], maxName)
	}
	if strings.Count(name, "/") > maxDepth {
		return fmt.Errorf("file name %q: more than %d folders deep", name, maxDepth)
	}
	for element := range strings.SplitSeq(name, "/") {
		if len(element) > maxElement {
			return fmt.Errorf("file name %q: has a part longer than %d bytes", name, maxElement)
		}
	}
	return nil
}

// readManifest reads a MANIFEST.json.
func readManifest(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxManifest+1))
	if err == nil && len(text) > maxManifest {
		err = source.Permanent(fmt.Errorf("more than the %d bytes that a manifest may have", maxManifest))
	}
	return text, err
}

// space is how many bytes a fetch may still write. It ends before the disk does, which
// others write to as well.
type space struct {
	left   atomic.Int64
	reason string
}

// newSpace returns one of the bytes that the caller allows, or else of what the
// volume of the folder has free.
func newSpace(folder *transfer.Folder, most int64) (*space, error) {
	s := &space{reason: fmt.Sprintf("--max-bytes=%d", most)}
	if most > 0 {
		s.left.Store(most)
		return s, nil
	}
	free, err := freeBytes(folder)
	if err != nil {
		return nil, err
	}
	s.left.Store(free - free/20)
	s.reason = fmt.Sprintf("95%% of the %d bytes that the volume of %s had free; free some or set --max-bytes", free, folder.Name())
	return s, nil
}

func freeBytes(folder *transfer.Folder) (int64, error) {
	f, err := folder.Open(".")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var volume syscall.Statfs_t
	if err := syscall.Fstatfs(int(f.Fd()), &volume); err != nil {
		return 0, fmt.Errorf("look for the free space of %s: %w", folder.Name(), err)
	}
	block := uint64(volume.Bsize)
	if volume.Blocks == 0 || block == 0 || volume.Bavail > math.MaxInt64/block {
		return math.MaxInt64, nil // some network volumes do not say
	}
	return int64(volume.Bavail * block), nil
}

// take returns an error if n more bytes are too many.
func (s *space) take(n int64) error {
	if s.left.Add(-n) < 0 {
		s.left.Add(n)
		return s.tooSmall()
	}
	return nil
}

func (s *space) give(n int64) { s.left.Add(n) }

// has returns an error if n more bytes would be too many.
func (s *space) has(n int64) error {
	if n > s.left.Load() {
		return s.tooSmall()
	}
	return nil
}

func (s *space) tooSmall() error {
	return source.Permanent(fmt.Errorf("it does not fit into %s", s.reason))
}

// reader takes what is read from r.
func (s *space) reader(r io.Reader) io.Reader { return taken{r, s} }

type taken struct {
	io.Reader
	space *space
}

func (t taken) Read(p []byte) (int, error) {
	n, err := t.Reader.Read(p)
	if full := t.space.take(int64(n)); full != nil {
		return 0, full
	}
	return n, err
}

// isFull is true of the errors of a disk, or of a quota, that is used up.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}
