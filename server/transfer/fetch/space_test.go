package fetch

import (
	"io"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/transfer"
	"slipway/server/transfer/source"
)

func jobIn(t *testing.T, most int64) *job {
	t.Helper()
	folder, err := transfer.OpenFolder(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, folder.Close()) })
	s, err := newSpace(folder, most)
	require.NoError(t, err)
	return &job{folder: folder, space: s}
}

// TestSizeOf has sizes whose sum is no int64 any more.
func TestSizeOf(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		most    int64
		sizes   []int64
		total   int64
		problem string
	}{
		"fits":         {most: 10, sizes: []int64{3, 7}, total: 10},
		"unknown":      {most: 10, sizes: []int64{3, -1}, total: -1},
		"too much":     {most: 10, sizes: []int64{3, 8}, problem: "does not fit into"},
		"overflow":     {most: math.MaxInt64, sizes: []int64{math.MaxInt64, math.MaxInt64}, problem: "does not fit into"},
		"of the disk":  {sizes: []int64{math.MaxInt64 / 2}, problem: "that the volume of"},
		"of the disk ": {sizes: []int64{1}, total: 1},
	} {
		parts := map[string]source.Object{}
		for i, size := range test.sizes {
			parts[strconv.Itoa(i)] = source.Object{Size: size}
		}
		total, err := jobIn(t, test.most).sizeOf(parts)
		if test.problem != "" {
			require.ErrorContains(t, err, test.problem, name)
			continue
		}
		require.NoError(t, err, name)
		assert.Equal(t, test.total, total, name)
	}
}

func TestSpaceOfReader(t *testing.T) {
	t.Parallel()
	s := jobIn(t, 10).space
	_, err := io.Copy(io.Discard, s.reader(strings.NewReader("0123456789")))
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, s.reader(strings.NewReader("0")))
	require.ErrorContains(t, err, "--max-bytes=10")
	s.give(1)
	require.NoError(t, s.take(1))
}

func TestTooManyFilesOfAnArchive(t *testing.T) {
	t.Parallel()
	files := map[string]source.Object{}
	for i := range source.MaxObjects {
		files[strconv.Itoa(i)] = source.Object{}
	}
	j := jobIn(t, 10)
	err := j.unpackFile(t.Context(), "x", 0, strings.NewReader(""), false, files)
	require.ErrorContains(t, err, "more than 100000 files")
	assert.False(t, j.folder.Exists(stageFolder))
}
