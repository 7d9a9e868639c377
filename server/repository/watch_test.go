package repository_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/repository"
)

// watch gives test a watcher that scans once a second and has reported root once.
// Time is synctest's: it passes when nobody has anything to do.
func watch(t *testing.T, root string, test func(t *testing.T, w *repository.Watcher)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := repository.NewWatcher(root, time.Second)
		began := time.Now()
		state, err := w.Next(t.Context())
		require.NoError(t, err)
		assert.Equal(t, scan(t, root), state)
		assert.Zero(t, time.Since(began), "the first is there at once")
		test(t, w)
	})
}

// changed returns what the watcher reports next, and after how many seconds.
func changed(t *testing.T, w *repository.Watcher) (state repository.State, seconds float64) {
	t.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	state, err := w.Next(ctx)
	require.NoError(t, err)
	return state, time.Since(began).Seconds()
}

func assertUnchanged(t *testing.T, w *repository.Watcher) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	state, err := w.Next(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded, "%v", state)
}

func TestWatchReportsChanges(t *testing.T) {
	root := install(t, "iris/1/model.onnx", "rose.onnx")
	at := func(path string) string { return filepath.Join(root, path) }
	watch(t, root, func(t *testing.T, w *repository.Watcher) {
		assertUnchanged(t, w)
		for _, step := range []struct {
			name   string
			change func()
		}{
			{"a version comes", func() { write(t, at("iris/2/model.onnx"), "2") }},
			{"a version's content changes", func() { write(t, at("iris/2/model.onnx"), "3") }},
			{"a file comes", func() { write(t, at("iris/2/golden.ndjson"), "") }},
			{"settings come", func() { write(t, at("iris/config.yaml"), "versions: {all: true}") }},
			{"settings change", func() { write(t, at("iris/config.yaml"), "versions: {latest: 1}") }},
			{"settings become wrong", func() { write(t, at("iris/config.yaml"), "version: 1") }},
			{"settings go", func() { require.NoError(t, os.Remove(at("iris/config.yaml"))) }},
			{"a version goes", func() { require.NoError(t, os.RemoveAll(at("iris/2"))) }},
			{"a model comes", func() { write(t, at("tulip/1/model.onnx"), "") }},
			{"a model goes", func() { require.NoError(t, os.Remove(at("rose.onnx"))) }},
			{"something is in the way", func() { write(t, at("notes.txt"), "") }},
			{"and goes", func() { require.NoError(t, os.Remove(at("notes.txt"))) }},
			{"the last goes", func() { require.NoError(t, os.RemoveAll(at("iris"))); require.NoError(t, os.RemoveAll(at("tulip"))) }},
		} {
			step.change()
			state, seconds := changed(t, w)
			assert.Equal(t, scan(t, root), state, step.name)
			assert.InDelta(t, 2, seconds, 0, step.name)
			assertUnchanged(t, w)
		}
	})
}

func TestWatchIgnoresWhatMeansTheSame(t *testing.T) {
	root := install(t, "iris/1/model.onnx", "iris/labels.txt", "many/1/model.onnx", "more/1/model.onnx")
	at := func(path string) string { return filepath.Join(root, path) }
	write(t, at("iris/2/model.onnx"), "2")
	write(t, at("iris/config.yaml"), "queue: {timeout: 1s}")
	// Whatever order its inputs are read in, it is the same error.
	write(t, at("many/config.yaml"), "warmUp: [{inputs: {a: {dims: [-1]}, b: {dims: [-1]}, c: {dims: [-1]}, d: {dims: [-1]}, e: {dims: [-1]}}}]")
	write(t, at("more/config.yaml"), "warmUp: [{inputs: {a: {datatype: x}, b: {datatype: x}, c: {datatype: x}, d: {datatype: x}, e: {datatype: x}}}]")
	watch(t, root, func(t *testing.T, w *repository.Watcher) {
		require.NoError(t, os.Chtimes(at("iris/2/model.onnx"), time.Now(), time.Now()))
		require.NoError(t, os.Rename(at("iris/2"), at("iris/.2")))
		require.NoError(t, os.Rename(at("iris/.2"), at("iris/2")))
		write(t, at("iris/config.yaml"), "# a remark\nqueue: {timeout: 1000ms}")
		write(t, at("iris/3.tmp/model.onnx"), "half of it")
		write(t, at("iris/1/model.onnx"), "not the latest")
		assertUnchanged(t, w)
	})
}

// A file that is being written is reported when it has been the same for two scans,
// and delays nothing else.
func TestWatchWaitsUntilAFileIsComplete(t *testing.T) {
	root := install(t, "iris/1/model.onnx")
	path := filepath.Join(root, "iris/2/model.onnx")
	watch(t, root, func(t *testing.T, w *repository.Watcher) {
		before := scan(t, root).Models[0]
		for i := range 6 {
			time.AfterFunc(time.Duration(i)*time.Second+500*time.Millisecond, func() {
				write(t, path, strings.Repeat("x", i))
			})
		}
		time.AfterFunc(1500*time.Millisecond, func() { write(t, filepath.Join(root, "rose.onnx"), "") })

		state, seconds := changed(t, w)
		assert.InDelta(t, 3, seconds, 0)
		require.Len(t, state.Models, 2)
		assert.Equal(t, before, state.Models[0])
		assert.Equal(t, "rose", state.Models[1].Name)

		state, seconds = changed(t, w)
		assert.InDelta(t, 7-3, seconds, 0, "the last write is after 5.5 seconds")
		assert.Equal(t, scan(t, root), state)
	})
}

// A change that is undone between two scans, or seen once only, is none.
func TestWatchIgnoresWhatIsUndone(t *testing.T) {
	root := install(t, "iris/1/model.onnx", "rose.onnx")
	watch(t, root, func(t *testing.T, w *repository.Watcher) {
		for second := range 20 {
			time.AfterFunc(time.Duration(second)*time.Second+500*time.Millisecond, func() {
				write(t, filepath.Join(root, "iris/1/model.onnx"), []string{"a", ""}[second%2])
				if second%2 == 0 {
					assert.NoError(t, os.Remove(filepath.Join(root, "rose.onnx")))
					return
				}
				write(t, filepath.Join(root, "rose.onnx"), "")
			})
		}
		assertUnchanged(t, w)
	})
}

// The kubelet writes a new folder and puts its link in the place of the old one.
func TestWatchSeesAConfigMapSwitch(t *testing.T) {
	root := t.TempDir()
	at := func(path string) string { return filepath.Join(root, path) }
	publish := func(folder, content string) {
		write(t, at(folder+"/iris/1/model.onnx"), content)
		require.NoError(t, os.Symlink(folder, at("..data_tmp")))
		require.NoError(t, os.Rename(at("..data_tmp"), at("..data")))
	}
	publish("..1", "old")
	require.NoError(t, os.Symlink("..data/iris", at("iris")))
	watch(t, root, func(t *testing.T, w *repository.Watcher) {
		before := scan(t, root)
		publish("..2", "new")
		require.NoError(t, os.RemoveAll(at("..1")))
		state, seconds := changed(t, w)
		assert.InDelta(t, 2, seconds, 0)
		assert.NotEqual(t, before, state)
		assert.Equal(t, scan(t, root), state)

		publish("..3", "new")
		assertUnchanged(t, w)
	})
}

// A volume that is away for a while is an error for each scan and no change.
func TestWatchSurvivesAFolderThatIsAway(t *testing.T) {
	root := filepath.Join(install(t, "models/iris/1/model.onnx"), "models")
	watch(t, root, func(t *testing.T, w *repository.Watcher) {
		require.NoError(t, os.Rename(root, root+".away"))
		for range 3 {
			began := time.Now()
			_, err := w.Next(t.Context())
			require.ErrorIs(t, err, fs.ErrNotExist)
			require.ErrorContains(t, err, root)
			assert.Equal(t, time.Second, time.Since(began))
		}
		require.NoError(t, os.Rename(root+".away", root))
		assertUnchanged(t, w)
		write(t, filepath.Join(root, "iris/2/model.onnx"), "")
		state, _ := changed(t, w)
		assert.Equal(t, scan(t, root), state)
	})
}

func TestWatchWaitsForAFolderThatIsNotThereYet(t *testing.T) {
	root := filepath.Join(t.TempDir(), "models")
	synctest.Test(t, func(t *testing.T) {
		w := repository.NewWatcher(root, time.Second)
		began := time.Now()
		_, err := w.Next(t.Context())
		require.ErrorIs(t, err, fs.ErrNotExist)
		assert.Zero(t, time.Since(began))
		_, err = w.Next(t.Context())
		require.ErrorIs(t, err, fs.ErrNotExist)
		assert.Equal(t, time.Second, time.Since(began), "it does not try without pause")

		write(t, filepath.Join(root, "iris.onnx"), "")
		state, seconds := changed(t, w)
		assert.InDelta(t, 1, seconds, 0)
		assert.Equal(t, scan(t, root), state)
	})
}

func TestWatchEndsWithItsContext(t *testing.T) {
	root := install(t, "iris.onnx")
	enough := errors.New("enough")
	watch(t, root, func(t *testing.T, w *repository.Watcher) {
		ctx, stop := context.WithCancelCause(t.Context())
		time.AfterFunc(90*time.Second, func() { stop(enough) })
		_, err := w.Next(ctx)
		require.ErrorIs(t, err, enough)
		_, err = repository.NewWatcher(root, time.Second).Next(ctx)
		require.ErrorIs(t, err, enough, "the first time too")
	})
}

func TestWatchEndsInTheMiddleOfAFile(t *testing.T) {
	root := install(t, "huge.onnx")
	require.NoError(t, os.Truncate(filepath.Join(root, "huge.onnx"), 1<<36), "a hole, which takes no space")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := repository.NewWatcher(root, time.Second).Next(ctx)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

// Large files are read once, until their size, time or inode changes.
func TestWatchReadsALargeFileOnce(t *testing.T) {
	const size = 1 << 20
	root := install(t, "iris/1/")
	path := filepath.Join(root, "iris/1/model.onnx")
	old := time.Now().Add(-time.Hour)
	fill := func(path, with string, at time.Time) {
		write(t, path, strings.Repeat(with, size))
		require.NoError(t, os.Chtimes(path, at, at))
	}
	fill(path, "a", old)
	w := repository.NewWatcher(root, time.Second)
	scanOnce := func() string {
		state, err := w.ScanOnce()
		require.NoError(t, err)
		require.NoError(t, state.Models[0].Bundles[0].Err)
		return state.Models[0].Bundles[0].Digest
	}
	first := scanOnce()
	fill(path, "b", old)
	assert.Equal(t, first, scanOnce(), "it is not read again")
	write(t, path, strings.Repeat("b", size+1))
	require.NoError(t, os.Chtimes(path, old, old))
	assert.NotEqual(t, first, scanOnce(), "another size")
	fill(path, "b", old)

	fill(path+".tmp", "b", old)
	require.NoError(t, os.Rename(path+".tmp", path))
	second := scanOnce()
	assert.NotEqual(t, first, second, "another inode")

	now := time.Now().Add(2 * time.Second) // as long as it may, on a slow machine
	fill(path, "c", now)
	third := scanOnce()
	assert.NotEqual(t, second, third, "another time")

	fill(path, "d", now)
	assert.NotEqual(t, third, scanOnce(), "a time so recent that it may stand for two contents")
}

// Small files are read at each scan, so that no change of theirs is missed where
// times are coarse.
func TestWatchReadsASmallFileAtEachScan(t *testing.T) {
	root := install(t, "iris/1/model.onnx")
	path := filepath.Join(root, "iris/1/model.onnx")
	old := time.Now().Add(-time.Hour)
	watch(t, root, func(t *testing.T, w *repository.Watcher) {
		for _, content := range []string{"a", "b"} {
			write(t, path, content)
			require.NoError(t, os.Chtimes(path, old, old))
			state, _ := changed(t, w)
			assert.Equal(t, scan(t, root), state)
		}
	})
}

func BenchmarkScan(b *testing.B) {
	const models, size = 4, 16 << 20
	root := b.TempDir()
	for i := range models {
		path := filepath.Join(root, string(rune('a'+i))+".onnx")
		require.NoError(b, os.WriteFile(path, make([]byte, size), 0o600))
		require.NoError(b, os.Chtimes(path, time.Time{}, time.Now().Add(-time.Hour)))
	}
	b.Run("first", func(b *testing.B) {
		b.SetBytes(models * size)
		for b.Loop() {
			_, err := repository.NewWatcher(root, time.Second).ScanOnce()
			require.NoError(b, err)
		}
	})
	b.Run("again", func(b *testing.B) {
		w := repository.NewWatcher(root, time.Second)
		b.SetBytes(models * size)
		for b.Loop() {
			_, err := w.ScanOnce()
			require.NoError(b, err)
		}
	})
}
