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
	"time"

	"golang.org/x/sync/errgroup"

	"slipway/server/transfer"
	"slipway/server/transfer/source"
)

var errStalled = errors.New("no data came for too long")

// downloadAll returns the objects with the size and the SHA-256 of what came. Each
// is in its part file.
func (j *job) downloadAll(ctx context.Context, objects []source.Object) ([]source.Object, error) {
	var total int64
	for _, o := range objects {
		if o.Size < 0 {
			total = -1
			break
		}
		total += o.Size
	}
	j.meter = transfer.StartMeter(transfer.Work{
		Verb: "fetch", Message: "fetching", Subject: []slog.Attr{slog.String("source", j.shown)}, Total: total, Log: j.Log, Terminal: j.Terminal,
	})
	defer j.meter.Stop()
	results := make([]source.Object, len(objects)) // each goroutine writes its own
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i, o := range objects {
		group.Go(func() (err error) {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if results[i], err = j.download(ctx, o); err != nil {
				return fmt.Errorf("download %s: %w", o.Name, err)
			}
			return nil
		})
	}
	return results, group.Wait()
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
		advanced = p.size > most
		most = max(most, p.size)
		return advanced, err
	})
	return done, err
}

// restart downloads a part from its start.
func (j *job) restart(p *part) error {
	j.meter.Skip(-p.size)
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

// connect reads from one connection until its end or until it stalls.
func (j *job) connect(parent context.Context, o source.Object, p *part) error {
	if p.size == o.Size {
		return nil
	}
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	watchdog := time.AfterFunc(j.Stall, func() { cancel(errStalled) })
	defer watchdog.Stop()
	err := j.read(ctx, o, p, watchdog)
	if err != nil && parent.Err() == nil && errors.Is(context.Cause(ctx), errStalled) {
		return fmt.Errorf("%w (%s)", errStalled, j.Stall)
	}
	return err
}

func (j *job) read(ctx context.Context, o source.Object, p *part, watchdog *time.Timer) error {
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
		watchdog.Reset(j.Stall)
		n, err := body.Read(buffer)
		if o.Size >= 0 && p.size+int64(n) > o.Size {
			return source.Permanent(fmt.Errorf("more came than the %d bytes that the source reports; it changed meanwhile: run again", o.Size))
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
