package fetch_test

import (
	"archive/tar"
	"bytes"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/transfer/fetch"
)

// unpacked fetches an archive, of whose content nothing is known before, and returns
// what was installed.
func unpacked(t *testing.T, archive string) (files, error) {
	t.Helper()
	from, to := t.TempDir(), t.TempDir()
	files{"a.tgz": archive}.write(t, from)
	var log journal
	o := options(&log)
	o.Retries = 0
	_, err := fetch.Fetch(t.Context(), filepath.Join(from, "a.tgz"), to, o)
	installed := readable(t, to)
	if err != nil {
		assert.Empty(t, installed)
	}
	return installed, err
}

// TestFlippedByte damages each byte of a compressed archive: it is refused, or what is
// installed is what was packed.
func TestFlippedByte(t *testing.T) {
	t.Parallel()
	packed := files{"iris/1/model.onnx": "m" + strings.Repeat("0123456789", 30), "iris/1/golden.ndjson": rand.Text()}
	var entries []entry
	for name, text := range packed {
		entries = append(entries, entry{name: name, text: text})
	}
	archive := zipped(t, tarOf(t, entries...))
	refused := 0
	for i := range archive {
		for _, bit := range []byte{1, 16, 128} {
			damaged := []byte(archive)
			damaged[i] ^= bit
			installed, err := unpacked(t, string(damaged))
			if err != nil {
				refused++
				continue
			}
			assert.Equal(t, packed, installed, "bit %d of byte %d", bit, i)
		}
	}
	t.Logf("refused %d of %d", refused, 3*len(archive))
	assert.Greater(t, refused, 3*len(archive)*9/10, "only a header's time, name and the like do not matter")
}

// TestCutArchive ends an archive early, at each block, and at each byte of a compressed
// one.
func TestCutArchive(t *testing.T) {
	t.Parallel()
	plain := tarOf(t, entry{name: "iris/1/model.onnx", text: "m"}, entry{name: "iris/1/golden.ndjson", text: strings.Repeat("\x00", 1024)})
	for n := 0; n < len(plain); n += 512 {
		_, err := unpacked(t, plain[:n])
		assert.Error(t, err, "a tar of %d of %d bytes", n, len(plain))
	}
	compressed := zipped(t, plain)
	for n := range compressed {
		_, err := unpacked(t, compressed[:n])
		assert.Error(t, err, "an archive of %d of %d bytes", n, len(compressed))
	}
	_, err := unpacked(t, zipped(t, plain[:len(plain)-512]))
	require.ErrorContains(t, err, "it was cut")
}

func TestWhatFollowsAnArchive(t *testing.T) {
	t.Parallel()
	one, two := tarOf(t, entry{name: "a.onnx", text: "a"}), tarOf(t, entry{name: "b.onnx", text: "b"})
	for name, test := range map[string]struct{ archive, problem string }{
		"zeros, as of a tape":       {archive: one + strings.Repeat("\x00", 10240)},
		"compressed zeros":          {archive: zipped(t, one+strings.Repeat("\x00", 1<<20))},
		"compressed in two streams": {archive: zipped(t, one[:700]) + zipped(t, one[700:])},
		"another archive":           {archive: one + two, problem: "is two in one"},
		"another compressed one":    {archive: zipped(t, one) + zipped(t, two), problem: "is two in one"},
		"text":                      {archive: one + "text", problem: "data after its end mark"},
		"text after a stream":       {archive: zipped(t, one) + "text", problem: "unexpected EOF"},
		"a long text after it":      {archive: zipped(t, one) + strings.Repeat("text", 10), problem: "gzip: invalid header"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			installed, err := unpacked(t, test.archive)
			if test.problem != "" {
				require.ErrorContains(t, err, test.problem)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, files{"a.onnx": "a"}, installed)
		})
	}
}

// sparsePAX is a tar of a file of a terabyte with one byte of content.
func sparsePAX(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	sparse := "1\n1099511627775\n1\n" // one run of data, and where it is
	sparse += strings.Repeat("\x00", 512-len(sparse)) + "x"
	require.NoError(t, w.WriteHeader(&tar.Header{Name: "GNUSparseFile.0/a.onnx", Mode: 0o644, Size: int64(len(sparse)), Format: tar.FormatPAX, PAXRecords: map[string]string{
		"XNU.sparse.major": "1", "XNU.sparse.minor": "0", "XNU.sparse.name": "a.onnx", "XNU.sparse.realsize": "1099511627776",
	}}))
	_, err := w.Write([]byte(sparse))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return strings.ReplaceAll(b.String(), "XNU.sparse", "GNU.sparse") // a name that the writer keeps to itself
}

// sparseGNU is a tar with GNU's old header of such a file.
func sparseGNU(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: "a.onnx", Mode: 0o644, Size: 1, Format: tar.FormatGNU}))
	_, err := w.Write([]byte("x"))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	text := b.Bytes()
	text[156] = tar.TypeGNUSparse
	copy(text[386:], "00077777777\x0000000000001\x00") // one run of data, and where it is
	copy(text[483:], "00100000000\x00")                // the size with the holes
	copy(text[148:], "        ")
	sum := 0
	for _, c := range text[:512] {
		sum += int(c)
	}
	copy(text[148:], fmt.Sprintf("%06o\x00 ", sum))
	return string(text)
}

func TestSparse(t *testing.T) {
	t.Parallel()
	for name, archive := range map[string]string{"PAX": sparsePAX(t), "GNU": sparseGNU(t)} {
		for _, text := range []string{archive, zipped(t, archive)} {
			_, err := unpacked(t, text)
			assert.ErrorContains(t, err, "a.onnx is a sparse file", name)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("d/", 11) + "x"
	for name, test := range map[string]struct{ file, problem string }{
		"as long as a file system takes": {file: strings.Repeat("n", 250) + ".onnx"},
		"a part that is too long":        {file: strings.Repeat("n", 251) + ".onnx", problem: "has a part longer than 255 bytes"},
		"a path that is too long":        {file: strings.Repeat(strings.Repeat("n", 200)+"/", 5) + strings.Repeat("n", 20), problem: "longer than 1024 bytes"},
		"a path that is too deep":        {file: deep, problem: "more than 10 folders deep"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := unpacked(t, tarOf(t, entry{name: "a.onnx", text: "m"}, entry{name: test.file, text: "x"}))
			if test.problem == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, test.problem)
			}
		})
	}
	url, _ := newHub(t, nil).push(t, "1", titled("a.onnx", "m"), titled(deep, "x"))
	_, err := run(t, url, t.TempDir())
	require.ErrorContains(t, err, "more than 10 folders deep")
}

// TestNamesOfALayer has the names that a container runtime takes for one.
func TestNamesOfALayer(t *testing.T) {
	t.Parallel()
	h := newHub(t, nil)
	lower := layer{layerType, tarOf(t, entry{name: "models/iris/1/model.onnx", text: "lower"}), nil}
	for i, name := range []string{"/models/iris/1/model.onnx", "./models//iris/1/model.onnx", "etc/../models/iris/1/model.onnx"} {
		url, _ := h.push(t, strconv.Itoa(i), lower, layer{layerType, tarOf(t, entry{name: name, text: "upper"}), nil})
		to := t.TempDir()
		_, err := run(t, url, to)
		require.NoError(t, err)
		assert.Equal(t, files{"iris/1/model.onnx": "upper"}, readable(t, to), name)
	}
	for i, name := range []string{"/.wh.models", "etc/../.wh.models", "/models/.wh.iris"} {
		url, _ := h.push(t, "w"+strconv.Itoa(i), lower, layer{layerType, tarOf(t, entry{name: name}), nil})
		_, err := run(t, url, t.TempDir())
		require.ErrorContains(t, err, "removes a file", name)
	}
}
