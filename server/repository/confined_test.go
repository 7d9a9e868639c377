package repository_test

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/repository"
)

const secret = "sk-hunter2: admin"

// reasons joins all that is wrong with a state.
func reasons(state repository.State) string {
	_, wrong := found(state)
	return strings.Join(wrong, "\n")
}

// Whatever takes a file's place, a scan ends and says what it is.
func TestOnlyRegularFilesAreRead(t *testing.T) {
	kinds := map[string]func(path string) error{
		"a named pipe": func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"a socket": func(path string) error {
			l, err := net.Listen("unix", path)
			if err == nil {
				t.Cleanup(func() { _ = l.Close() })
			}
			return err
		},
		"a device": func(path string) error { return syscall.Mknod(path, syscall.S_IFCHR|0o600, 1<<8|5) }, // /dev/zero, which has no end
		"a folder": func(path string) error { return os.Mkdir(path, 0o755) },
	}
	for kind, create := range kinds {
		for _, name := range []string{"m/config.yaml", "m/config.pbtxt", "m/1/model.onnx", "m/1/golden.ndjson", "m/1/MANIFEST.json", "m/1/weights", "m.onnx"} {
			t.Run(kind+" "+name, func(t *testing.T) {
				root := install(t, "good/1/model.onnx", "m/1/model.onnx")
				if name == "m.onnx" {
					require.NoError(t, os.RemoveAll(filepath.Join(root, "m")))
				}
				folder, err := os.MkdirTemp("", "k") // a socket's path has to be short
				require.NoError(t, err)
				defer os.RemoveAll(folder)
				short := filepath.Join(folder, "k")
				require.NoError(t, os.RemoveAll(filepath.Join(root, name)))
				if err := create(short); err != nil {
					t.Skip(err)
				}
				require.NoError(t, os.Rename(short, filepath.Join(root, name)))
				done := make(chan repository.State)
				go func() {
					state, err := repository.Scan(root)
					assert.NoError(t, err)
					done <- state
				}()
				select {
				case state := <-done:
					assert.Equal(t, "good", state.Models[0].Name)
					assert.NoError(t, state.Models[0].Bundles[0].Err)
					switch {
					case kind != "a folder":
						assert.Contains(t, reasons(state), filepath.Base(name))
						assert.Regexp(t, kind+"|neither", reasons(state))
					case strings.HasPrefix(name, "m/config"):
						assert.Contains(t, reasons(state), "is a folder; expected a file")
					}
				case <-time.After(20 * time.Second):
					t.Fatal("the scan does not end")
				}
			})
		}
	}
}

// A link that leads out of the repository is the model's error, whatever it stands
// for, and nothing of its target is read or shown.
func TestLinksOutOfTheRepositoryAreRefused(t *testing.T) {
	outside := t.TempDir()
	for _, path := range []string{"file", "folder/1/model.onnx", "folder/model.onnx", "folder/config.yaml"} {
		write(t, filepath.Join(outside, path), secret)
	}
	for name, target := range map[string]string{
		"m/config.yaml": "file", "m/config.pbtxt": "file", "m/1/model.onnx": "file", "m/1/golden.ndjson": "file",
		"m/1/MANIFEST.json": "file", "m/1/weights": "file", "m/1/data": "folder", "m/1": "folder", "m": "folder", "m.onnx": "file",
	} {
		t.Run(name, func(t *testing.T) {
			parent := t.TempDir()
			root := filepath.Join(parent, "models")
			write(t, filepath.Join(root, "good/1/model.onnx"), "")
			if name != "m" && name != "m.onnx" {
				write(t, filepath.Join(root, "m/1/model.onnx"), "")
			}
			at := filepath.Join(root, name)
			relative, err := filepath.Rel(filepath.Dir(at), filepath.Join(outside, target))
			require.NoError(t, err)
			for _, to := range []string{filepath.Join(outside, target), relative} {
				require.NoError(t, os.RemoveAll(at))
				require.NoError(t, os.Symlink(to, at))
				state := scan(t, root)
				require.Len(t, state.Models, 2)
				assert.NoError(t, state.Models[0].Bundles[0].Err)
				m := state.Models[1]
				assert.Equal(t, "m", m.Name)
				assert.Contains(t, reasons(state), "m", "%s", name)
				assert.Contains(t, reasons(state), "a link leads out of "+root)
				assert.True(t, m.Err != nil || m.Bundles[0].Err != nil)
				assert.NotContains(t, reasons(state), "hunter2")
				assert.NotContains(t, reasons(state), outside)
			}
		})
	}
}

// A link that stays in the repository is followed, absolute ones and a repository
// that is a link itself included.
func TestLinksInsideTheRepositoryAreFollowed(t *testing.T) {
	root := install(t, "models/.releases/7/model.onnx", "models/.releases/7/golden.ndjson", "models/.releases/settings")
	real := filepath.Join(root, "models")
	link := filepath.Join(root, "link")
	require.NoError(t, os.Symlink("models", link))
	for path, to := range map[string]string{
		"relative/1":           "../.releases/7",
		"absolute/1":           filepath.Join(real, ".releases/7"),
		"through/1":            filepath.Join(link, ".releases/7"),
		"file.onnx":            ".releases/7/model.onnx",
		"settings/config.yaml": filepath.Join(real, ".releases/settings"),
		"settings/1":           "../relative/1",
		".current":             ".releases",
		"twice/1":              "../.current/7",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(real, path)), 0o755))
		require.NoError(t, os.Symlink(to, filepath.Join(real, path)))
	}
	for _, folder := range []string{real, link} {
		versions, wrong := found(scan(t, folder))
		assert.Empty(t, wrong)
		assert.Equal(t, []string{"absolute/1", "file/1", "relative/1", "settings/1", "through/1", "twice/1"}, versions)
	}
}

// A link that leads nowhere in the place of settings is no model without settings.
func TestSettingsThatAreABrokenLink(t *testing.T) {
	root := install(t, "m/1/model.onnx")
	require.NoError(t, os.Symlink("nowhere", filepath.Join(root, "m/config.yaml")))
	assert.ErrorContains(t, scan(t, root).Models[0].Err, "config.yaml")
}

// Golden answers are opened as a scan opens them, whatever has changed since.
func TestOpenGolden(t *testing.T) {
	root := install(t, "m/1/model.onnx")
	outside := install(t, "keys")
	path := filepath.Join(root, "m/1/golden.ndjson")
	write(t, path, "answers")
	b := scan(t, root).Models[0].Bundles[0]
	file, err := b.OpenGolden()
	require.NoError(t, err)
	content, err := io.ReadAll(file)
	require.NoError(t, err)
	assert.Equal(t, "answers", string(content))
	require.NoError(t, file.Close())

	write(t, path, "others")
	_, err = b.OpenGolden()
	require.ErrorContains(t, err, "has changed since")
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.Symlink(filepath.Join(outside, "keys"), path))
	_, err = b.OpenGolden()
	require.ErrorContains(t, err, "a link leads out of")
	require.NoError(t, os.Remove(path))
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	_, err = b.OpenGolden()
	assert.ErrorContains(t, err, "a named pipe")
}

// A file has a bound.
func TestLargeFilesAreRefused(t *testing.T) {
	for name, want := range map[string]string{
		"m/config.yaml": "262144 bytes", "m/config.pbtxt": "262144 bytes", "m/1/MANIFEST.json": "4194304 bytes", "m/1/model.onnx": "more than 68719476736 bytes",
	} {
		root := install(t, "m/1/model.onnx", name)
		size := int64(8 << 20)
		if name == "m/1/model.onnx" {
			size = 1 << 42
		}
		require.NoError(t, os.Truncate(filepath.Join(root, name), size))
		assert.Contains(t, reasons(scan(t, root)), want, name)
	}
}

// A fault that may be a copy that is under way is told from others.
func TestIncomplete(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"an empty folder":      {"m/config.yaml": ""},
		"an empty version":     {"m/1/w": ""},
		"a file is missing":    {"m/1/model.onnx": "", "m/1/MANIFEST.json": `{"files": {"w": "` + strings.Repeat("0", 64) + `"}}`},
		"a manifest, half":     {"m/1/model.onnx": "", "m/1/MANIFEST.json": `{"files": {"w"`},
		"a file that differs":  {"m/1/model.onnx": "x", "m/1/MANIFEST.json": `{"files": {"model.onnx": "` + strings.Repeat("0", 64) + `"}}`},
		"(complete) settings":  {"m/1/model.onnx": "", "m/config.yaml": "x: 1"},
		"(complete) two sorts": {"m/1/model.onnx": "", "m/model.onnx": ""},
	} {
		root := t.TempDir()
		for path, content := range files {
			write(t, filepath.Join(root, path), content)
		}
		m := scan(t, root).Models[0]
		err := m.Err
		if err == nil {
			err = m.Bundles[0].Err
		}
		if strings.HasPrefix(name, "(complete)") {
			assert.NotErrorIs(t, err, repository.ErrIncomplete, name)
			continue
		}
		assert.ErrorIs(t, err, repository.ErrIncomplete, name)
	}
}
