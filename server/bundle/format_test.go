package bundle_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/bundle"
)

func TestFormatOf(t *testing.T) {
	t.Parallel()
	for head, want := range map[string]string{
		"": "empty",
		"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n": "Git LFS pointer",
		"\n <!DOCTYPE HTML><html><body>404":                                             "HTML page",
		"<HTML>":                                                                        "HTML page",
		"\xef\xbb\xbf<?xml version='1.0'?><Error><Code>AccessDenied</Code>":             "XML document",
		` {"message": "not found"}`:                                                     "JSON document",
		"PK\x03\x04\x00\x00\x08\x08archive/data.pkl":                                    "zip archive",
		"\x1f\x8b\x08\x00":                                                              "gzip",
		"\x80\x04\x95\x00\x00":                                                          "pickle",
		"\x89HDF\r\n\x1a\n\x00":                                                         "HDF5",
		"\x1c\x00\x00\x00TFL3":                                                          "TensorFlow Lite",
		strings.Repeat("m", 257) + "ustar\x0000":                                        "tar archive",
		"\x40\x00\x00\x00\x00\x00\x00\x00{\"w\":":                                       "safetensors",
		strings.Repeat("\x00", 600):                                                     "zeros",
		"no format that is known":                                                       "",
		"\x08":                                                                          "",
	} {
		got := bundle.FormatOf(strings.NewReader(head))
		assert.Contains(t, got, want, "%q", head)
		assert.Equal(t, want == "", got == "", "%q", head)
	}
	models, err := filepath.Glob("../onnx/onnxtest/testdata/*.onnx")
	require.NoError(t, err)
	for _, path := range models {
		file, err := os.Open(path)
		require.NoError(t, err)
		assert.Empty(t, bundle.FormatOf(file), path)
		require.NoError(t, file.Close())
	}
}
