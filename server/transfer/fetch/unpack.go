package fetch

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"slipway/server/bundle"
	"slipway/server/transfer/source"
)

const (
	modelsFolder = "models/" // where KServe's model images keep them
	whiteout     = ".wh."    // marks what an image layer removes of those below it
)

// stage unpacks and moves what was downloaded into one folder, laid out as the source
// is. It returns the files by their paths in the source.
func (j *job) stage(ctx context.Context, objects []source.Object, came map[string]source.Object) (map[string]source.Object, error) {
	files := map[string]source.Object{}
	uses := map[string]int{} // of a part: an artifact may have one blob under two names
	for _, o := range objects {
		part := j.partName(o)
		if o.Packing == source.Plain {
			uses[part]++
			continue
		}
		if err := j.unpack(ctx, part, o.Packing == source.ImageLayer, files); err != nil {
			return nil, fmt.Errorf("unpack %s: %w", o.Name, err)
		}
	}
	for _, o := range objects {
		if o.Packing != source.Plain {
			continue
		}
		if _, twice := files[o.Name]; twice {
			return nil, twiceError(o.Name)
		}
		part := j.partName(o)
		files[o.Name] = came[part]
		uses[part]--
		if err := j.place(ctx, part, path.Join(stageFolder, o.Name), uses[part] == 0); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// place copies a part, or moves it if nothing else is made of it.
func (j *job) place(ctx context.Context, part, to string, isLast bool) error {
	if isLast {
		return errors.Join(j.folder.MkdirAll(path.Dir(to)), j.folder.Rename(part, to))
	}
	from, err := j.folder.Open(part)
	if err != nil {
		return err
	}
	_, _, err = j.folder.Write(ctx, to, j.space.reader(from))
	return errors.Join(err, from.Close())
}

func twiceError(name string) error {
	return fmt.Errorf("%s is in the source twice; publish one", name)
}

// unpack writes a tar's files. A file of an image's layer replaces that of an
// earlier layer.
func (j *job) unpack(ctx context.Context, from string, isLayer bool, files map[string]source.Object) (err error) {
	f, err := j.folder.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	entries, err := openArchive(bundle.Cancellable(ctx, f))
	if err != nil {
		return err
	}
	for {
		header, err := entries.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name, err := nameOf(header, isLayer)
		if err != nil {
			return err
		}
		if name == "" {
			continue
		}
		if err := j.unpackFile(ctx, name, header.Size, entries, isLayer, files); err != nil {
			return err
		}
	}
}

func (j *job) unpackFile(ctx context.Context, name string, size int64, content io.Reader, isLayer bool, files map[string]source.Object) error {
	to := path.Join(stageFolder, name)
	if earlier, twice := files[name]; twice && !isLayer {
		return twiceError(name)
	} else if twice {
		if err := j.folder.Remove(to); err != nil {
			return err
		}
		j.space.give(earlier.Size)
	}
	if len(files) == source.MaxObjects {
		return source.TooMany()
	}
	if err := j.space.has(size); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	var o source.Object
	var err error
	if o.Size, o.SHA256, err = j.folder.Write(ctx, to, j.space.reader(content)); err != nil {
		return err
	}
	files[name] = o
	return nil
}

// nameOf returns the name of a file of a tar, or empty for what is not read. It
// accepts only files and folders: a link could lead anywhere.
func nameOf(h *tar.Header, isLayer bool) (string, error) {
	name := strings.TrimSuffix(strings.TrimPrefix(h.Name, "./"), "/")
	if isLayer {
		name = strings.TrimPrefix(path.Clean("/"+h.Name), "/") // as a container runtime reads it
		below, isModels := strings.CutPrefix(name, modelsFolder)
		switch {
		case name == whiteout+strings.TrimSuffix(modelsFolder, "/"), isModels && strings.HasPrefix(path.Base(name), whiteout):
			return "", fmt.Errorf("%s removes a file of an earlier layer, which is not supported; build the image with the models in layers of their own", h.Name)
		case !isModels && (name+"/" != modelsFolder || h.Typeflag == tar.TypeDir):
			return "", nil
		}
		name = below
	}
	if h.Typeflag == tar.TypeXGlobalHeader || h.Typeflag == tar.TypeDir && (name == "" || name == ".") {
		return "", nil
	}
	if err := checkName(name); err != nil {
		return "", err
	}
	switch {
	case h.Typeflag == tar.TypeDir, bundle.HiddenPath(name):
		return "", nil
	case h.Typeflag != tar.TypeReg:
		return "", fmt.Errorf("%s is a link or a device, which could lead anywhere; pack the files themselves", h.Name)
	}
	return name, nil
}
