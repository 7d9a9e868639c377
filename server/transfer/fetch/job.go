package fetch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"slipway/server/bundle"
	"slipway/server/transfer"
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
	source  source
	shown   string   // the source, without what may be secret
	archive []object // objects of which only the content shows what they are
	units   []*unit  // or what the names of the objects show
	base    string   // the units' folder in the repository
	root    string   // the repository
	folder  *transfer.Folder
	meter   *transfer.Meter
}

// newJob decides where in the repository the objects belong.
func newJob(ctx context.Context, from, to string, o Options, s source, objects []object) (*job, error) {
	j := &job{Options: o, source: s, shown: transfer.Redact(from), root: to}
	archive := slices.ContainsFunc(objects, func(o object) bool { return o.packing != plain })
	single := s.single() && !archive
	asFile := strings.HasSuffix(to, bundle.ModelSuffix)
	switch {
	case asFile && !single:
		return nil, fmt.Errorf("destination %s names a file, and the source is not a single .onnx file; name a folder", to)
	case asFile && o.Model != "":
		return nil, fmt.Errorf("destination %s names a file, so --model %s has no place; name the repository's folder", to, o.Model)
	case asFile:
		j.root, objects[0].name = filepath.Dir(to), filepath.Base(to)
	case single && o.Model != "":
		objects[0].name = bundle.ModelFile
	case archive:
		j.archive = objects
		return j, nil
	}
	files := map[string]object{}
	for _, o := range objects {
		if _, twice := files[o.name]; twice {
			return nil, twiceError(o.name)
		}
		files[o.name] = o
	}
	if !asFile {
		var err error
		if j.base, err = layout(files, o.Model, o.Version); err != nil {
			return nil, err
		}
	}
	j.units = unitsOf(files, j.base)
	if err := j.leaveOutUnfinished(ctx); err != nil {
		return nil, err
	}
	return j, check(j.units)
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
	parts, err := j.downloadAll(ctx, missing)
	report.Bytes = j.meter.Moved()
	if err != nil {
		return report, err
	}
	report.Fetched = len(missing)
	files, err := j.stage(ctx, missing, parts)
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
