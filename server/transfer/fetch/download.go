package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"slipway/server/transfer"
	"slipway/server/transfer/source"
)

// partsOf returns the objects by part. Those of the same content are one part, which is
// downloaded once.
func (j *job) partsOf(objects []source.Object) map[string]source.Object {
	parts := map[string]source.Object{}
	for _, o := range objects {
		parts[j.partName(o)] = o
	}
	return parts
}

// downloadAll returns the objects with the size and the SHA-256 of what came.
func (j *job) downloadAll(ctx context.Context, parts map[string]source.Object, total int64) (map[string]source.Object, error) {
	j.meter = transfer.StartMeter(transfer.Work{
		Verb: "fetch", Message: "fetching", Subject: []slog.Attr{slog.String("source", j.shown)}, Total: total, Log: j.Log, Terminal: j.Terminal,
	})
	defer j.meter.Stop()
	var mu sync.Mutex
	came := map[string]source.Object{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for name, o := range parts {
		group.Go(func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			done, err := j.download(ctx, o)
			if err != nil {
				return fmt.Errorf("download %s: %w", o.Name, err)
			}
			mu.Lock()
			defer mu.Unlock()
			came[name] = done
			return nil
		})
	}
	return came, group.Wait()
}

// sizeOf returns the bytes of all parts, or -1 if the source doesn't say. It returns an
// error if what is not there yet is more than may be written.
func (j *job) sizeOf(parts map[string]source.Object) (total int64, err error) {
	left := j.space.left.Load()
	for name, o := range parts {
		if o.Size < 0 {
			total = -1
			continue
		}
		size := o.Size
		if info, err := j.folder.Stat(name); err == nil {
			size = max(0, size-info.Size())
		}
		if err := j.space.has(size); err != nil {
			return 0, fmt.Errorf("%s, of %d bytes: %w", o.Name, o.Size, err)
		}
		if left -= size; left < 0 {
			return 0, fmt.Errorf("%d files: %w", len(parts), j.space.tooSmall())
		}
		if total >= 0 {
			total += o.Size
		}
	}
	return total, nil
}

// download downloads an object into a part file, over as many connections as that
// takes. It resumes what an earlier run has left there.
func (j *job) download(ctx context.Context, o source.Object) (done source.Object, err error) {
	p, err := openPart(j.folder, j.partName(o))
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	if p.size > o.Size || o.Tag == "" { // an unknown size is -1
		j.space.give(p.size)
		if err := p.restart(); err != nil { // nothing shows that the rest would fit
			return o, err
		}
	}
	resumed, most := p.size > 0, p.size
	if resumed {
		j.Log.Info("resuming", "object", o.Name, "from", p.size, "of", o.Size)
		j.meter.Skip(p.size)
	}
	err = retry(ctx, j.Options, func() (advanced bool, err error) {
		started, before := time.Now(), p.size
		if err = j.connect(ctx, o, p); err == nil {
			done = o
			done.Size, done.SHA256 = p.size, hex.EncodeToString(p.sum.Sum(nil))
			err = checkSum(o, done.SHA256)
		}
		if errors.Is(err, errWrongSum) {
			err = errors.Join(err, j.restart(p))
			if !resumed {
				err = source.Permanent(err)
			}
			resumed = false // what the earlier run left was at fault, or the source is
		}
		if err == nil {
			err = p.Sync()
		}
		advanced = p.size > most && (!errors.Is(err, errSlow) || enough(p.size-before, time.Since(started)))
		most = max(most, p.size)
		return advanced, err
	})
	return done, err
}

// restart downloads a part from its start.
func (j *job) restart(p *part) error {
	j.meter.Skip(-p.size)
	j.space.give(p.size)
	return p.restart()
}

// partName differs for different contents, so that no two are mixed.
func (j *job) partName(o source.Object) string {
	sum := sha256.Sum256([]byte(j.shown + "\x00" + o.Key + "\x00" + o.Tag + "\x00" + strconv.FormatInt(o.Size, 10)))
	return path.Join(partsFolder, hex.EncodeToString(sum[:16]))
}

var errWrongSum = errors.New("it was changed or is published in part; nothing was installed")

func checkSum(o source.Object, got string) error {
	if o.SHA256 == "" || got == o.SHA256 {
		return nil
	}
	return fmt.Errorf("%s has sha256 %s, expected %s: %w", o.Name, got, o.SHA256, errWrongSum)
}

// connect reads from one connection until its end or until it is too slow.
func (j *job) connect(ctx context.Context, o source.Object, p *part) error {
	if p.size == o.Size {
		return nil
	}
	return paced(ctx, j.Stall, func(ctx context.Context, came func(int)) error { return j.read(ctx, o, p, came) })
}

func (j *job) read(ctx context.Context, o source.Object, p *part, came func(int)) error {
	body, at, err := j.source.Open(ctx, o, p.size)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // all that matters of it has been read
	if at != p.size {
		if err := j.restart(p); err != nil {
			return err
		}
	}
	buffer := make([]byte, 256<<10)
	for {
		n, err := body.Read(buffer)
		came(n)
		if o.Size >= 0 && p.size+int64(n) > o.Size {
			return source.Permanent(fmt.Errorf("more came than the %d bytes that the source reports; it changed meanwhile: run again", o.Size))
		}
		if err := j.space.take(int64(n)); err != nil {
			return err
		}
		if _, err := p.Write(buffer[:n]); err != nil {
			return err
		}
		j.meter.Add(int64(n))
		switch {
		case errors.Is(err, io.EOF) && o.Size >= 0 && p.size < o.Size:
			return fmt.Errorf("the connection ended after %d of %d bytes", p.size, o.Size)
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && p.size == o.Size:
			// All came, and the provider's client found that its own checksum differs.
			return errors.Join(err, j.restart(p))
		case err != nil:
			return err
		}
	}
}
