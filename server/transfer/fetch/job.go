package fetch

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"

	"slipway/server/transfer/progress"
)

// job is one run: what is to be brought, and where it goes.
type job struct {
	Options
	source  source
	shown   string // the source, without what may be secret
	objects []object
	root    string // the repository
	work    string // below root, where no reader looks
	asFile  bool   // the object is laid under the very name that the caller gave
	meter   *progress.Meter
}

// run leaves the destination as it was unless all of it came and is right.
func (j *job) run(ctx context.Context) (report Report, err error) {
	past, err := readRecord(j.work)
	if err != nil {
		return report, err
	}
	missing, there := j.missing(past)
	report.Present = len(j.objects) - len(missing)
	if len(missing) == 0 {
		return report, nil
	}
	if err := errors.Join(j.clean("tree", "tree.nest", "old"), os.MkdirAll(filepath.Join(j.work, "parts"), 0o755)); err != nil {
		return report, err
	}
	parts, err := j.downloadAll(ctx, missing)
	report.Bytes = j.meter.Moved()
	if err != nil {
		return report, err
	}
	report.Fetched = len(missing)
	t, err := newTree(filepath.Join(j.work, "tree"))
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	for i, o := range j.objects {
		if e, present := there[i]; present {
			err = t.link(o, e, j.root)
		} else {
			err = t.add(o, parts[i])
		}
		if err != nil {
			return report, err
		}
	}
	return report, j.lay(t, past)
}

// missing says which objects are not there as they should be, and what the others are.
func (j *job) missing(past record) (missing []int, there map[int]entry) {
	there = map[int]entry{}
	for i, o := range j.objects {
		e, has := past.Objects[j.recordKey(o)]
		if has && e.isOf(o, j) && e.isThere(j.root) {
			there[i] = e
			continue
		}
		missing = append(missing, i)
	}
	if len(missing) == 0 {
		return nil, there
	}
	for i, e := range there {
		if e.Covered { // what covered it may do so no longer
			delete(there, i)
			missing = append(missing, i)
		}
	}
	return missing, there
}

// fetched is a part file that is whole.
type fetched struct{ path, sum string }

func (j *job) downloadAll(ctx context.Context, missing []int) ([]fetched, error) {
	var total int64
	for _, i := range missing {
		if j.objects[i].size < 0 {
			total = -1
			break
		}
		total += j.objects[i].size
	}
	j.meter = progress.Start(progress.Work{
		Verb: "fetch", Message: "fetching", Subject: []slog.Attr{slog.String("source", j.shown)}, Total: total, Log: j.Log, Terminal: j.Terminal,
	})
	defer j.meter.Stop()
	results := make([]fetched, len(j.objects)) // by object; each goroutine has its own
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for _, i := range missing {
		group.Go(func() (err error) {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			results[i].path, results[i].sum, err = j.download(ctx, j.objects[i])
			return err
		})
	}
	return results, group.Wait()
}

// lay checks the tree and renames it into the repository.
func (j *job) lay(t *tree, past record) error {
	base, err := j.base(slices.Sorted(maps.Keys(t.files)))
	if err != nil {
		return err
	}
	if err := t.verify(); err != nil {
		return err
	}
	if err := t.place(j.root, base, filepath.Join(j.work, "old")); err != nil {
		return err
	}
	for i, o := range j.objects {
		past.Objects[j.recordKey(o)] = entry{
			Tag: o.tag, SHA256: t.sums[i], Model: j.Model, Version: j.Version, Base: base, Files: t.filesOf(i), Covered: t.covered[i],
		}
	}
	return errors.Join(past.write(j.work), j.clean("tree", "old", "parts"))
}
