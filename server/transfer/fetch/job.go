package fetch

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"

	"slipway/server/transfer"
	"slipway/server/transfer/source"
)

// Folders inside the destination that no reader looks at.
const (
	workFolder  = ".fetch"
	partsFolder = workFolder + "/parts" // what is being downloaded
	stageFolder = workFolder + "/tree"  // complete files, laid out as the source is
	oldFolder   = workFolder + "/old"   // what is being replaced
)

// job is one run: what is downloaded, and where it goes.
type job struct {
	Options
	source  source.Source
	shown   string          // the source, without what may be secret
	archive []source.Object // objects of which only the content shows what they are
	units   []*unit         // or what the names of the objects show
	base    string          // the units' folder in the repository
	root    string          // the repository
	folder  *transfer.Folder
	space   *space
	meter   *transfer.Meter
}

// run leaves the repository as it was unless everything came and is right.
func (j *job) run(ctx context.Context) (report Report, err error) {
	missing := j.archive
	for _, u := range j.units {
		if j.present(u) {
			report.Present += len(u.files)
		} else {
			missing = slices.AppendSeq(missing, maps.Values(u.files))
		}
	}
	if len(missing) == 0 {
		return report, nil
	}
	if err := errors.Join(j.remove(stageFolder, oldFolder), j.folder.MkdirAll(partsFolder), j.keepOnly(missing)); err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, j.remove(stageFolder)) }()
	if j.space, err = newSpace(j.folder, j.MaxBytes); err != nil {
		return report, err
	}
	parts := j.partsOf(missing)
	total, err := j.sizeOf(parts)
	if err != nil {
		return report, err
	}
	came, err := j.downloadAll(ctx, parts, total)
	report.Bytes = j.meter.Moved()
	if err != nil {
		return report, errors.Join(err, j.keepOnly(missing))
	}
	report.Fetched = len(missing)
	switch err := j.unpackAndInstall(ctx, missing, came); {
	case err == nil:
		return report, j.remove(oldFolder, partsFolder)
	case ctx.Err() != nil, isFull(err):
		return report, errors.Join(err, j.keepOnly(missing))
	default: // what came is wrong, and would be again
		return report, errors.Join(err, j.remove(partsFolder))
	}
}

func (j *job) unpackAndInstall(ctx context.Context, missing []source.Object, came map[string]source.Object) error {
	files, err := j.stage(ctx, missing, came)
	if err != nil {
		return err
	}
	if j.archive != nil {
		if j.base, err = layout(files, j.Model, j.Version); err != nil {
			return err
		}
	}
	return j.install(unitsOf(files, j.base))
}

// keepOnly removes the parts from which a download of these objects can't be resumed:
// those of other objects, and of objects whose content or size the source doesn't say.
func (j *job) keepOnly(objects []source.Object) error {
	resumable := map[string]bool{}
	for _, o := range objects {
		resumable[j.partName(o)] = o.Tag != "" && o.Size >= 0
	}
	parts, err := fs.ReadDir(j.folder.FS(), partsFolder)
	for _, part := range parts {
		if name := path.Join(partsFolder, part.Name()); !resumable[name] {
			err = errors.Join(err, j.folder.RemoveAll(name))
		}
	}
	return err
}

func (j *job) remove(names ...string) error {
	var errs []error
	for _, name := range names {
		errs = append(errs, j.folder.RemoveAll(name))
	}
	return errors.Join(errs...)
}
