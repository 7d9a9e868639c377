package transfer_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/transfer"
)

func TestParseLocation(t *testing.T) {
	t.Parallel()
	for text, expected := range map[string]struct {
		scheme, path, rest, url string
		noDestination           bool
		problem                 string
	}{
		"models":                       {scheme: "file", path: "models"},
		"/mnt/a?b":                     {scheme: "file", path: "/mnt/a?b"},
		"file:///mnt/models":           {scheme: "file", path: "/mnt/models"},
		"file:///mnt/a%20b":            {scheme: "file", path: "/mnt/a b"},
		"file://mnt/models":            {problem: "file:///mnt/models"},
		"s3://bucket/prefix?region=x":  {scheme: "s3", url: "s3://bucket/prefix?region=x"},
		"S3://bucket/prefix":           {scheme: "s3", url: "s3://bucket/prefix"},
		"gs://bucket":                  {scheme: "gs", url: "gs://bucket"},
		"azblob://container/p":         {scheme: "azblob", url: "azblob://container/p"},
		"https://host/iris.onnx":       {scheme: "https", url: "https://host/iris.onnx", noDestination: true},
		"http://host/iris.onnx":        {scheme: "http", url: "http://host/iris.onnx", noDestination: true},
		"oci://host:5000/iris:1":       {scheme: "oci", rest: "host:5000/iris:1", noDestination: true},
		"ftp://host/iris.onnx":         {problem: `scheme "ftp" is none of file, s3, gs, azblob`},
		"s3://u:secret@b/%zz?t=secret": {problem: "invalid URL escape"},
		"https://u:sec/secret@host/a":  {problem: "not a valid URL"},
		"https://u:%secret@host/a":     {problem: "invalid URL escape"},
		"s3://u:secret@b/p":            {problem: "no place in a location of s3"},
		"oci://u:secret@host/iris:1":   {problem: "no place in an oci location"},
		"oci://u:s/secret@host/iris:1": {problem: "no place in an oci location"},
		"https:/u:secret@host/a":       {problem: "write https://…"},
		"u:secret@host://a":            {problem: "the scheme, before ://, is none of"},
	} {
		l, err := transfer.ParseSource(text)
		if expected.problem != "" {
			require.ErrorContains(t, err, expected.problem)
			assert.NotContains(t, err.Error(), "secret")
			continue
		}
		require.NoError(t, err, text)
		assert.Equal(t, expected.scheme, l.Scheme, text)
		assert.Equal(t, expected.path, l.Path, text)
		assert.Equal(t, expected.rest, l.Rest, text)
		if expected.url != "" {
			assert.Equal(t, expected.url, l.URL.String())
		}
		_, err = transfer.ParseDestination(text)
		assert.Equal(t, expected.noDestination, err != nil, "%s: %v", text, err)
	}
}
