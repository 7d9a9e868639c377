package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"slipway/server/bundle"
)

// folder is a folder of this machine, or one file of it. Symbolic links are
// followed, as by the server: a mounted ConfigMap is made of them.
type folder struct {
	path string
	file string // the name of the one file, or empty
}

func openFolder(name string) (Source, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return &folder{path: name}, nil
	}
	if _, single := packingOf(name); !single || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is neither a folder nor an .onnx, .tar.gz or .tgz file", name)
	}
	return &folder{filepath.Dir(name), filepath.Base(name)}, nil
}

func (f *folder) Single() bool { return f.file != "" }

func (f *folder) Close() error { return nil }

func (f *folder) List(context.Context) (objects []Object, err error) {
	names := []string{f.file}
	if f.file == "" {
		names, err = bundle.FilesWithin(f.path, bundle.MaxDepth+2) // a bundle lies in MODEL/VERSION
	}
	if err != nil {
		return nil, Permanent(err)
	}
	if len(names) > MaxObjects {
		return nil, TooMany()
	}
	for _, name := range names {
		path := filepath.Join(f.path, filepath.FromSlash(name))
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		packing, _ := packingOf(f.file)
		objects = append(objects, Object{Name: name, Key: path, Size: info.Size(), Tag: info.ModTime().String(), Packing: packing, path: path})
	}
	return objects, nil
}

func (f *folder) Open(_ context.Context, o Object, offset int64) (io.ReadCloser, int64, error) {
	file, err := os.Open(o.path)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err == nil && info.ModTime().String() != o.Tag {
		err = Permanent(fmt.Errorf("%s changed meanwhile; run again", o.path))
	}
	if err == nil {
		_, err = file.Seek(offset, io.SeekStart)
	}
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return file, offset, nil
}
