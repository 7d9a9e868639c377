package fetch

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
)

const (
	modelsFolder = "models/" // where KServe's model images keep them
	whiteout     = ".wh."    // how an image layer removes what is below it
)

// unpack writes a tar's files into the tree. It takes files and folders alone:
// a link could lead anywhere.
func (t *tree) unpack(from string, p packing) (err error) {
	f, err := os.Open(from)
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
		if err := t.unpackEntry(header, entries, p == imageLayer); err != nil {
			return err
		}
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

func (t *tree) unpackEntry(h *tar.Header, content io.Reader, ofImage bool) error {
	name := strings.TrimSuffix(strings.TrimPrefix(h.Name, "./"), "/")
	if ofImage {
		below, isModels := strings.CutPrefix(name, modelsFolder)
		switch {
		case name == whiteout+strings.TrimSuffix(modelsFolder, "/"), isModels && strings.HasPrefix(path.Base(name), whiteout):
			return fmt.Errorf("%s removes a file of an earlier layer, which is not read; build the image with the models in layers of their own", h.Name)
		case !isModels && (name+"/" != modelsFolder || h.Typeflag == tar.TypeDir):
			return nil
		}
		name = below
	}
	if h.Typeflag == tar.TypeXGlobalHeader || h.Typeflag == tar.TypeDir && (name == "" || name == ".") {
		return nil
	}
	if err := checkPath(name); err != nil {
		return err
	}
	switch {
	case h.Typeflag == tar.TypeDir, isHidden(name):
		return nil
	case h.Typeflag != tar.TypeReg:
		return fmt.Errorf("%s is a link or a device, which could lead anywhere; pack the files themselves", h.Name)
	}
	return t.write(name, content, ofImage)
}

func (t *tree) write(name string, content io.Reader, over bool) error {
	if err := t.claim(name, over); err != nil {
		return err
	}
	f, err := t.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	sum := sha256.New()
	size, err := io.Copy(io.MultiWriter(f, sum), content)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	t.files[name] = file{Size: size, SHA256: hex.EncodeToString(sum.Sum(nil))}
	return nil
}
