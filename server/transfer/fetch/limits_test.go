package fetch_test

import (
	"archive/tar"
	"compress/gzip"
	"crypto/rand"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/transfer/fetch"
)

func maxBytes(n int64) func(*fetch.Options) { return func(o *fetch.Options) { o.MaxBytes = n } }

// volume mounts a file system of so many bytes.
func volume(t *testing.T, size int) string {
	t.Helper()
	at := t.TempDir()
	if err := syscall.Mount("tmpfs", at, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		t.Skipf("can't mount a small file system, which needs root: %v", err)
	}
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(at, 0)) })
	return at
}

// left returns the bytes of the files below a folder.
func left(t *testing.T, folder string) (bytes int64) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(folder, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		bytes += info.Size()
		return err
	}))
	return bytes
}

// bomb writes an archive that is a thousand times larger unpacked.
func bomb(t *testing.T, size int64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bomb.tgz")
	f, err := os.Create(path)
	require.NoError(t, err)
	z := gzip.NewWriter(f)
	w := tar.NewWriter(z)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: "a.onnx", Mode: 0o644, Size: 1}))
	_, err = w.Write([]byte("m"))
	require.NoError(t, err)
	for i := range int64(4) {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: fmt.Sprintf("iris/%d/model.onnx", i+1), Mode: 0o644, Size: size / 4}))
		_, err = io.CopyN(w, zeros{}, size/4)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	require.NoError(t, z.Close())
	require.NoError(t, f.Close())
	return path
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestMaxBytes(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	files{"iris/1/model.onnx": "0123456789", "iris/2/model.onnx": "0123456789"}.write(t, folder)
	archive := bomb(t, 1<<20)
	for name, test := range map[string]struct {
		source  string
		most    int64
		problem string
	}{
		"files that fit":          {source: folder, most: 20},
		"one that is too large":   {source: folder, most: 9, problem: "of 10 bytes: it does not fit into --max-bytes=9"},
		"all together":            {source: folder, most: 19, problem: "2 files: it does not fit into --max-bytes=19"},
		"a bomb":                  {source: archive, most: 1 << 19, problem: "iris/2/model.onnx: it does not fit into"},
		"a bomb's first file":     {source: archive, most: 1 << 17, problem: "iris/1/model.onnx: it does not fit into"},
		"an archive that fits":    {source: archive, most: 2 << 20},
		"a negative number":       {source: folder, most: -1, problem: "must not be negative"},
		"the archive by its size": {source: archive, most: 100, problem: "bomb.tgz, of"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := t.TempDir()
			_, err := run(t, test.source, to, maxBytes(test.most))
			if test.problem == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.problem)
			assert.Zero(t, left(t, to), "what can't fit was left")
		})
	}
}

// TestMaxBytesOfUnknownSize has a server that reports no size and sends 64 MiB.
func TestMaxBytesOfUnknownSize(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 1 << 10 {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	to := t.TempDir()
	_, err := run(t, server.URL+"/iris.onnx", to, maxBytes(1<<20))
	require.ErrorContains(t, err, "it does not fit into --max-bytes=1048576")
	assert.Zero(t, left(t, to))
}

// TestVolumeIsTooSmall refuses what the volume can't take before it is full.
func TestVolumeIsTooSmall(t *testing.T) {
	from := t.TempDir()
	files{"iris.onnx": model}.write(t, from)
	to := volume(t, 1<<20)
	_, err := run(t, from, to)
	require.ErrorContains(t, err, "iris.onnx, of 1048576 bytes: it does not fit into 95% of the 10")
	require.ErrorContains(t, err, "free some or set --max-bytes")
	assert.Zero(t, left(t, to))
	_, err = run(t, bomb(t, 2<<20), to)
	require.ErrorContains(t, err, "iris/2/model.onnx: it does not fit into")
	assert.Zero(t, left(t, to))
}

// TestFullDisk has others fill the volume meanwhile: the caller's --max-bytes hides that
// it is small. What a download has brought is kept, for the next run resumes it.
func TestFullDisk(t *testing.T) {
	from := t.TempDir()
	files{"iris.onnx": model}.write(t, from)
	to := volume(t, 1<<19)
	_, err := run(t, filepath.Join(from, "iris.onnx"), to, maxBytes(1<<30))
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.ErrorContains(t, err, "the volume is full: free some space")
	assert.Empty(t, readable(t, to))
	assert.NoDirExists(t, filepath.Join(to, ".fetch/tree"))
	kept := left(t, filepath.Join(to, ".fetch/parts"))
	assert.NotZero(t, kept)

	require.NoError(t, syscall.Mount("", to, "", syscall.MS_REMOUNT, "size=4194304"))
	report, err := run(t, filepath.Join(from, "iris.onnx"), to)
	require.NoError(t, err)
	assert.Equal(t, int64(len(model))-kept, report.Bytes)
	assert.Equal(t, files{"iris.onnx": model}, readable(t, to))
}

// TestFullDiskUnpacking keeps the archive and nothing that was unpacked.
func TestFullDiskUnpacking(t *testing.T) {
	archive, to := bomb(t, 1<<20), volume(t, 1<<19)
	_, err := run(t, archive, to, maxBytes(1<<30))
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.ErrorContains(t, err, "the volume is full: free some space")
	info, err := os.Stat(archive)
	require.NoError(t, err)
	assert.Equal(t, info.Size(), left(t, to))
	require.NoError(t, syscall.Mount("", to, "", syscall.MS_REMOUNT, "size=4194304"))
	report, err := run(t, archive, to)
	require.NoError(t, err)
	assert.Zero(t, report.Bytes, "the archive was downloaded again")
}

// TestFullDiskOfUnknown has a part that the next run can't resume: the source doesn't say
// how long its file is.
func TestFullDiskOfUnknown(t *testing.T) {
	content := rand.Text()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 1 << 16 {
			if _, err := io.WriteString(w, content); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	to := volume(t, 1<<19)
	_, err := run(t, server.URL+"/iris.onnx", to, maxBytes(1<<30))
	require.ErrorIs(t, err, syscall.ENOSPC)
	assert.Zero(t, left(t, to))
}

// TestPartsOfOthers removes what an earlier fetch of other content has left, before it
// takes the space of this one.
func TestPartsOfOthers(t *testing.T) {
	from, to := t.TempDir(), volume(t, 3<<19)
	files{"iris.onnx": model}.write(t, from)
	files{".fetch/parts/00": model}.write(t, to)
	_, err := run(t, from, to)
	require.NoError(t, err)
	assert.Equal(t, files{"iris.onnx": model}, readable(t, to))
}

// TestWrongArchiveIsNotKept has an archive damaged on its way: the next run downloads it
// again.
func TestWrongArchiveIsNotKept(t *testing.T) {
	t.Parallel()
	good := zipped(t, tarOf(t, entry{name: "a.onnx", text: "m"}))
	bad := []byte(good)
	bad[len(bad)-5] ^= 1
	content := string(bad)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"1"`)
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(content))
	}))
	defer server.Close()
	to := t.TempDir()
	_, err := run(t, server.URL+"/a.tgz", to)
	require.ErrorContains(t, err, "unpack a.tgz: gzip: invalid checksum")
	assert.Zero(t, left(t, to))
	content = good
	_, err = run(t, server.URL+"/a.tgz", to)
	require.NoError(t, err)
	assert.Equal(t, files{"a.onnx": "m"}, readable(t, to))
}

// TestManifestIsBounded has one that would fill the memory.
func TestManifestIsBounded(t *testing.T) {
	t.Parallel()
	from := t.TempDir()
	files{"iris/1/model.onnx": "m"}.write(t, from)
	f, err := os.Create(filepath.Join(from, "iris/1/MANIFEST.json"))
	require.NoError(t, err)
	require.NoError(t, f.Truncate(17<<20))
	require.NoError(t, f.Close())
	to := t.TempDir()
	_, err = run(t, from, to)
	require.ErrorContains(t, err, "read iris/1/MANIFEST.json: more than the 16777216 bytes")
	_, err = unpacked(t, zipped(t, tarOf(t, entry{name: "iris/1/model.onnx", text: "m"}, entry{name: "iris/1/MANIFEST.json", text: strings.Repeat(" ", 17<<20)})))
	require.ErrorContains(t, err, "read iris/1/MANIFEST.json: more than the 16777216 bytes")
}

// TestListIsBounded has a store that lists without end.
func TestListIsBounded(t *testing.T) {
	t.Parallel()
	pages := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		pages++
		w.Header().Set("Content-Type", "application/xml")
		fmt.Fprintf(w, `<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>%d</NextContinuationToken>`, pages)
		for i := range 1000 {
			fmt.Fprintf(w, `<Contents><Key>iris/%d/model.onnx</Key><LastModified>2026-01-01T00:00:00Z</LastModified><ETag>"e"</ETag><Size>1</Size></Contents>`, pages*1000+i)
		}
		_, _ = io.WriteString(w, `</ListBucketResult>`)
	}))
	defer server.Close()
	_, err := run(t, "s3://bucket?region=x&endpoint="+url.QueryEscape(server.URL), t.TempDir())
	require.ErrorContains(t, err, "more than 100000 files")
	assert.Equal(t, 101, pages)
}

// TestListIsPaced has a store that never lists.
func TestListIsPaced(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { hang(w, r) }))
	defer server.Close()
	_, err := run(t, "s3://bucket?region=x&endpoint="+url.QueryEscape(server.URL), t.TempDir(), func(o *fetch.Options) { o.Stall, o.Retries = 50*time.Millisecond, 1 })
	require.ErrorContains(t, err, "gave up after 2 tries: no complete response in 50ms")
}
