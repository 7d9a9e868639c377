package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

var errStalled = errors.New("nothing came for too long")

// download brings an object into a part file and says what its sum is.
func (j *job) download(ctx context.Context, o object) (path, sum string, err error) {
	path = j.partPath(o)
	limit := o.size
	if o.tag == "" || o.size < 0 {
		limit = -1 // nothing shows that the rest would fit
	}
	p, err := openPart(path, limit)
	if err != nil {
		return "", "", err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	resumed := p.size
	if resumed > 0 {
		j.Log.Info("going on", "object", o.name, "from", resumed, "of", o.size)
		j.meter.Skip(resumed)
	}
	for {
		if err := j.transfer(ctx, o, p); err != nil {
			return "", "", fmt.Errorf("download %s: %w", o.name, err)
		}
		if sum, err = p.done(); err != nil {
			return "", "", err
		}
		err := checkSum(o.name, sum, o.sha256)
		if err == nil {
			return path, sum, nil
		}
		// What an earlier run left may be at fault: once more, from the start.
		j.meter.Skip(-p.size)
		if err := p.restart(); err != nil {
			return "", "", err
		}
		if resumed == 0 {
			return "", "", err
		}
		resumed = 0
	}
}

// partPath is different for different contents, so that no two are mixed.
func (j *job) partPath(o object) string {
	sum := sha256.Sum256([]byte(j.shown + "\x00" + o.key + "\x00" + o.tag + "\x00" + strconv.FormatInt(o.size, 10)))
	return filepath.Join(j.work, "parts", hex.EncodeToString(sum[:16]))
}

// transfer fills the part, over as many connections as it takes.
func (j *job) transfer(ctx context.Context, o object, p *part) error {
	most := p.size
	return retry(ctx, j.Options, func() (bool, error) {
		err := j.connect(ctx, o, p)
		advanced := p.size > most
		most = max(most, p.size)
		return advanced, err
	})
}

// connect reads from one connection, until its end or until it stalls.
func (j *job) connect(parent context.Context, o object, p *part) error {
	if p.size == o.size {
		return nil
	}
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	watch := time.AfterFunc(j.Stall, func() { cancel(errStalled) })
	defer watch.Stop()
	err := j.read(ctx, o, p, watch)
	if err != nil && parent.Err() == nil && errors.Is(context.Cause(ctx), errStalled) {
		return fmt.Errorf("%w (%s)", errStalled, j.Stall)
	}
	return err
}

func (j *job) read(ctx context.Context, o object, p *part, watch *time.Timer) (err error) {
	body, at, err := j.source.open(ctx, o, p.size)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // all that matters of it has been read
	if at != p.size {
		j.meter.Skip(-p.size)
		if err := p.restart(); err != nil {
			return err
		}
	}
	buffer := make([]byte, 256<<10)
	for {
		watch.Reset(j.Stall)
		n, err := body.Read(buffer)
		if o.size >= 0 && p.size+int64(n) > o.size {
			return permanent(fmt.Errorf("more came than the %d bytes that the source says; it changed meanwhile: run again", o.size))
		}
		if _, err := p.Write(buffer[:n]); err != nil {
			return err
		}
		j.meter.Add(int64(n))
		switch {
		case errors.Is(err, io.EOF) && o.size >= 0 && p.size < o.size:
			return fmt.Errorf("the connection ended after %d of %d bytes", p.size, o.size)
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && p.size == o.size:
			// All came, and the provider's client found it wrong by its own sum.
			j.meter.Skip(-p.size)
			return errors.Join(err, p.restart())
		case err != nil:
			return err
		}
	}
}

// clean removes what earlier runs left and this one had no use for.
func (j *job) clean(names ...string) error {
	var errs []error
	for _, name := range names {
		errs = append(errs, os.RemoveAll(filepath.Join(j.work, name)))
	}
	return errors.Join(errs...)
}
