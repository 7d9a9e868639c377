package fetch

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
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

// stage moves and unpacks what was downloaded into one folder, laid out as the
// source is. It returns the files by their paths in the source.
func (j *job) stage(ctx context.Context, objects, came []source.Object) (map[string]source.Object, error) {
	files := map[string]source.Object{}
	for i, o := range objects {
		part := j.partName(o)
		if o.Packing != source.Plain {
			if err := j.unpack(ctx, part, o.Packing == source.ImageLayer, files); err != nil {
				return nil, fmt.Errorf("unpack %s: %w", o.Name, err)
			}
			continue
		}
		if _, twice := files[o.Name]; twice {
			return nil, twiceError(o.Name)
		}
		files[o.Name] = came[i]
		to := path.Join(stageFolder, o.Name)
		if err := errors.Join(j.folder.MkdirAll(path.Dir(to)), j.folder.Rename(part, to)); err != nil {
			return nil, err
		}
	}
	return files, nil
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
	stream, err := gunzip(f)
	if err != nil {
		return err
	}
	for entries := tar.NewReader(stream); ; {
		header, err := entries.Next()
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
		to := path.Join(stageFolder, name)
		if _, twice := files[name]; twice && !isLayer {
			return twiceError(name)
		} else if twice {
			err = j.folder.Remove(to)
		}
		var o source.Object
		if err == nil {
			o.Size, o.SHA256, err = j.folder.Write(ctx, to, entries)
		}
		if err != nil {
			return err
		}
		files[name] = o
	}
}

// gunzip looks at the content: media types and suffixes are not always right.
func gunzip(f io.Reader) (io.Reader, error) {
	buffered := bufio.NewReaderSize(f, 1<<20)
	if start, _ := buffered.Peek(2); bytes.Equal(start, []byte{0x1f, 0x8b}) {
		return gzip.NewReader(buffered)
	}
	return buffered, nil
}

// nameOf returns the name of a file of a tar, or empty for what is not read. It
// accepts only files and folders: a link could lead anywhere.
func nameOf(h *tar.Header, isLayer bool) (string, error) {
	name := strings.TrimSuffix(strings.TrimPrefix(h.Name, "./"), "/")
	if isLayer {
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
	if err := bundle.CheckPath(name); err != nil {
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
