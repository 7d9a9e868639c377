package bundle

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
)

// textFormats and formats are what takes the place of an ONNX file or of its weights: how
// the file begins, what it is, and what to do. Texts may have letters of either case.
var (
	textFormats = []struct{ begins, is string }{
		{"version https://git-lfs.github.com/spec/", "a Git LFS pointer; get the file that it stands for with git lfs pull"},
		{"<!doctype html", "an HTML page, which a web server has sent in place of the file"},
		{"<html", "an HTML page, which a web server has sent in place of the file"},
		{"<?xml", "an XML document, which an object store may have sent in place of the file"},
		{"{", "a JSON document"},
	}
	formats = []struct {
		at      int
		has, is string
	}{
		{0, "PK\x03\x04", "a zip archive, such as a checkpoint of PyTorch; unpack it, or export the model to ONNX"},
		{0, "\x1f\x8b", "compressed with gzip; unpack it"},
		{0, "\x28\xb5\x2f\xfd", "compressed with zstd; unpack it"},
		{0, "BZh", "compressed with bzip2; unpack it"},
		{0, "\xfd7zXZ\x00", "compressed with xz; unpack it"},
		{257, "ustar", "a tar archive; unpack it"},
		{0, "\x89HDF\r\n\x1a\n", "an HDF5 file, such as a model of Keras; export the model to ONNX"},
		{0, "\x80\x02", pickle}, {0, "\x80\x03", pickle}, {0, "\x80\x04", pickle}, {0, "\x80\x05", pickle},
		{4, "TFL3", "a model of TensorFlow Lite; convert it to ONNX"},
		{4, "ORTM", "a model in ONNX Runtime's own format; deploy the ONNX file that it was made of"},
		{0, "GGUF", "a GGUF file; export the model to ONNX"},
	}
)

const pickle = "a pickle of Python; export the model to ONNX"

// FormatOf returns what a file is that is no ONNX file, or empty if that can't be told.
func FormatOf(file io.Reader) string {
	head := make([]byte, 512)
	n, err := io.ReadFull(file, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return ""
	}
	if head = head[:n]; n == 0 {
		return "empty"
	}
	text := strings.ToLower(string(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")))
	for _, f := range textFormats {
		if strings.HasPrefix(text, f.begins) {
			return f.is
		}
	}
	for _, f := range formats {
		if n >= f.at && bytes.HasPrefix(head[f.at:], []byte(f.has)) {
			return f.is
		}
	}
	switch {
	case n > 8 && head[8] == '{' && binary.LittleEndian.Uint64(head) < 1<<32: // a length, and JSON of that length
		return "a safetensors file, which has weights only; export the model to ONNX"
	case len(bytes.Trim(head, "\x00")) == 0:
		return "zeros at its beginning; it may be being copied"
	}
	return ""
}
