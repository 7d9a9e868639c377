package fetch

import (
	"context"
	"errors"
	"maps"
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
	if err := errors.Join(j.remove(stageFolder, oldFolder), j.folder.MkdirAll(partsFolder)); err != nil {
		return report, err
	}
	came, err := j.downloadAll(ctx, missing)
	report.Bytes = j.meter.Moved()
	if err != nil {
		return report, err
	}
	report.Fetched = len(missing)
	files, err := j.stage(ctx, missing, came)
	if err != nil {
		return report, err
	}
	if j.archive != nil {
		if j.base, err = layout(files, j.Model, j.Version); err != nil {
			return report, err
		}
	}
	if err := j.install(unitsOf(files, j.base)); err != nil {
		return report, err
	}
	return report, j.remove(stageFolder, oldFolder, partsFolder)
}

func (j *job) remove(names ...string) error {
	var errs []error
	for _, name := range names {
		errs = append(errs, j.folder.RemoveAll(name))
	}
	return errors.Join(errs...)
}
