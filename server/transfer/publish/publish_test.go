package publish_test

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/onnx/onnxtest"
	"slipway/server/repository"
	"slipway/server/transfer/fetch"
	"slipway/server/transfer/publish"
)

var quiet = publish.Options{Log: slog.New(slog.DiscardHandler)}

// bundle is a folder with a model and what goes with it; content makes it another.
func bundle(t *testing.T, content string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range map[string]string{
		"model.onnx": content, "golden.ndjson": "", "weights/inner/part.bin": "external data", ".DS_Store": "not ours", "model.onnx.tmp": "under way",
	} {
		path := filepath.Join(folder, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return folder
}

// repositories returns one of each kind: where to publish, and a function that brings
// it into a folder to be looked at.
func repositories(t *testing.T) map[string]func(t *testing.T) (to string, look func(*testing.T) string) {
	t.Helper()
	return map[string]func(t *testing.T) (string, func(*testing.T) string){
		"folder": func(t *testing.T) (string, func(*testing.T) string) {
			t.Helper()
			to := t.TempDir()
			return to, func(*testing.T) string { return to }
		},
		"file": func(t *testing.T) (string, func(*testing.T) string) {
			t.Helper()
			to := t.TempDir()
			return "file://" + to, func(*testing.T) string { return to }
		},
		"s3": func(t *testing.T) (string, func(*testing.T) string) {
			t.Helper()
			to := s3(t, nil)
			return to, func(t *testing.T) string {
				t.Helper()
				folder := filepath.Join(t.TempDir(), "repository")
				_, err := fetch.Fetch(t.Context(), to, folder, fetch.Options{Log: quiet.Log})
				require.NoError(t, err)
				return folder
			}
		},
	}
}

// s3 starts a store of the test's own. The function wraps its handler.
func s3(t *testing.T, around func(http.Handler) http.Handler) string {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "key")
	backend := s3mem.New()
	require.NoError(t, backend.CreateBucket("models"))
	handler := gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	if around != nil {
		handler = around(handler)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return "s3://models/prod?region=eu-central-1&endpoint=" + url.QueryEscape(server.URL)
}

func TestPublish(t *testing.T) {
	for name, make := range repositories(t) {
		t.Run(name, func(t *testing.T) {
			to, look := make(t)
			first, second := bundle(t, "one"), bundle(t, "two")
			for _, c := range []struct {
				folder string
				want   publish.Published
			}{
				{first, publish.Published{Model: "digits", Version: 1}},
				{second, publish.Published{Model: "digits", Version: 2}},
				{first, publish.Published{Model: "digits", Version: 1, Already: true}},
			} {
				got, err := publish.Publish(t.Context(), c.folder, to, "digits", quiet)
				require.NoError(t, err)
				assert.Equal(t, c.want, got)
			}
			folder := look(t)
			model, found, err := repository.ScanModel(t.Context(), folder, "digits")
			require.NoError(t, err)
			require.True(t, found)
			require.Len(t, model.Bundles, 1, "the newest")
			for _, b := range model.Bundles {
				assert.NoError(t, b.Err, "the manifest is right")
			}
			assert.Equal(t, []string{"MANIFEST.json", "golden.ndjson", "model.onnx", "weights", "weights/inner", "weights/inner/part.bin"}, under(t, filepath.Join(folder, "digits/2")))
		})
	}
}

// under returns the names below a folder.
func under(t *testing.T, folder string) []string {
	t.Helper()
	var names []string
	require.NoError(t, filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		if path != folder && err == nil {
			name, _ := filepath.Rel(folder, path)
			names = append(names, name)
		}
		return err
	}))
	return names
}

func TestTwoAtOnceGetTwoNumbers(t *testing.T) {
	for name, make := range repositories(t) {
		t.Run(name, func(t *testing.T) {
			to, look := make(t)
			const publishers = 6
			versions := [publishers]int64{}
			var all sync.WaitGroup
			for i := range publishers {
				folder := bundle(t, fmt.Sprint("content ", i))
				all.Go(func() {
					p, err := publish.Publish(t.Context(), folder, to, "digits", quiet)
					assert.NoError(t, err)
					versions[i] = p.Version
				})
			}
			all.Wait()
			assert.ElementsMatch(t, []int64{1, 2, 3, 4, 5, 6}, versions[:])
			for i, version := range versions {
				content, err := os.ReadFile(filepath.Join(look(t), "digits", strconv.FormatInt(version, 10), "model.onnx"))
				require.NoError(t, err)
				assert.Equal(t, fmt.Sprint("content ", i), string(content))
			}
		})
	}
}

func TestAManifestOfOnesOwn(t *testing.T) {
	to, folder := t.TempDir(), bundle(t, "one")
	_, err := publish.Publish(t.Context(), folder, to, "digits", quiet)
	require.NoError(t, err)
	manifest, err := os.ReadFile(filepath.Join(to, "digits/1/MANIFEST.json"))
	require.NoError(t, err)
	own := append([]byte(`{"note": "kept", `), manifest[1:]...)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "MANIFEST.json"), own, 0o600))

	elsewhere := t.TempDir()
	_, err = publish.Publish(t.Context(), folder, elsewhere, "digits", quiet)
	require.NoError(t, err)
	kept, err := os.ReadFile(filepath.Join(elsewhere, "digits/1/MANIFEST.json"))
	require.NoError(t, err)
	assert.Equal(t, own, kept)

	require.NoError(t, os.WriteFile(filepath.Join(folder, "model.onnx"), []byte("another"), 0o600))
	_, err = publish.Publish(t.Context(), folder, elsewhere, "digits", quiet)
	assert.ErrorContains(t, err, "the SHA-256 of model.onnx is")
}

// TestASignedManifest publishes the signature with the bundle, and finds the version
// again by what the manifest names, with another signature or none.
func TestASignedManifest(t *testing.T) {
	for name, make := range repositories(t) {
		t.Run(name, func(t *testing.T) {
			to, look := make(t)
			signed, unsigned := bundle(t, "one"), bundle(t, "one")
			elsewhere := t.TempDir()
			_, err := publish.Publish(t.Context(), unsigned, elsewhere, "digits", quiet)
			require.NoError(t, err)
			manifest, err := os.ReadFile(filepath.Join(elsewhere, "digits/1/MANIFEST.json"))
			require.NoError(t, err)
			sign := func(signature string) {
				require.NoError(t, os.WriteFile(filepath.Join(signed, "MANIFEST.json"), manifest, 0o600))
				require.NoError(t, os.WriteFile(filepath.Join(signed, "MANIFEST.json.sig"), []byte(signature), 0o600))
			}
			sign("first")
			p, err := publish.Publish(t.Context(), signed, to, "digits", quiet)
			require.NoError(t, err)
			assert.Equal(t, publish.Published{Model: "digits", Version: 1}, p)
			sign("second")
			for _, folder := range []string{signed, unsigned} {
				p, err = publish.Publish(t.Context(), folder, to, "digits", quiet)
				require.NoError(t, err)
				assert.Equal(t, publish.Published{Model: "digits", Version: 1, Already: true}, p)
			}
			folder := look(t)
			signature, err := os.ReadFile(filepath.Join(folder, "digits/1/MANIFEST.json.sig"))
			require.NoError(t, err)
			assert.Equal(t, "first", string(signature))
			model, _, err := repository.ScanModel(t.Context(), folder, "digits")
			require.NoError(t, err)
			require.Len(t, model.Bundles, 1)
			assert.NoError(t, model.Bundles[0].Err)
		})
	}
	orphan := bundle(t, "one")
	require.NoError(t, os.WriteFile(filepath.Join(orphan, "MANIFEST.json.sig"), []byte("s"), 0o600))
	_, err := publish.Publish(t.Context(), orphan, t.TempDir(), "digits", quiet)
	assert.ErrorContains(t, err, "MANIFEST.json.sig signs a MANIFEST.json, which the bundle lacks")
}

// failingStore returns a store that refuses model.onnx while failing is true.
func failingStore(t *testing.T) (to string, failing *atomic.Bool) {
	t.Helper()
	failing = new(atomic.Bool)
	to = s3(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if failing.Load() && r.Method == http.MethodPut && filepath.Base(r.URL.Path) == "model.onnx" {
				http.Error(w, "no", http.StatusForbidden)
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	return to, failing
}

// TestASignatureOfAnotherManifest resumes a version whose manifest has another text:
// the signature does not fit and stays away.
func TestASignatureOfAnotherManifest(t *testing.T) {
	to, failing := failingStore(t)
	folder, elsewhere := bundle(t, "one"), t.TempDir()
	failing.Store(true)
	_, err := publish.Publish(t.Context(), folder, to, "digits", quiet)
	require.ErrorContains(t, err, "publish the same again to resume")
	failing.Store(false)
	_, err = publish.Publish(t.Context(), folder, elsewhere, "digits", quiet)
	require.NoError(t, err)
	manifest, err := os.ReadFile(filepath.Join(elsewhere, "digits/1/MANIFEST.json"))
	require.NoError(t, err)
	own := append([]byte(`{"note": "mine", `), manifest[1:]...)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "MANIFEST.json"), own, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "MANIFEST.json.sig"), []byte("s"), 0o600))
	p, err := publish.Publish(t.Context(), folder, to, "digits", quiet)
	require.NoError(t, err)
	assert.Equal(t, publish.Published{Model: "digits", Version: 1}, p)
	read := filepath.Join(t.TempDir(), "repository")
	_, err = fetch.Fetch(t.Context(), to, read, fetch.Options{Log: quiet.Log})
	require.NoError(t, err)
	assert.FileExists(t, filepath.Join(read, "digits/1/model.onnx"))
	assert.NoFileExists(t, filepath.Join(read, "digits/1/MANIFEST.json.sig"))
}

func TestABundleBehindALink(t *testing.T) {
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(bundle(t, "one"), link))
	p, err := publish.Publish(t.Context(), link, t.TempDir(), "digits", quiet)
	require.NoError(t, err)
	assert.Equal(t, int64(1), p.Version)
}

func TestModesFitOtherUsers(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	to := t.TempDir()
	_, err := publish.Publish(t.Context(), bundle(t, "one"), to, "digits", quiet)
	require.NoError(t, err)
	for name, want := range map[string]fs.FileMode{"..": 0o755, "": 0o755, "weights": 0o755, "weights/inner": 0o755, "model.onnx": 0o644, "MANIFEST.json": 0o644} {
		info, err := os.Stat(filepath.Join(to, "digits/1", name))
		require.NoError(t, err)
		assert.Equal(t, want, info.Mode().Perm(), name)
	}
}

func TestRefused(t *testing.T) {
	good, empty := bundle(t, "one"), t.TempDir()
	bare, bareFolder := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(bare, "digits.onnx"), nil, 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(bareFolder, "digits"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(bareFolder, "digits/model.onnx"), nil, 0o600))
	for _, c := range []struct{ folder, to, model, want string }{
		{empty, t.TempDir(), "digits", "a folder with a model.onnx, which this one lacks"},
		{filepath.Join(empty, "absent"), t.TempDir(), "digits", "no such file"},
		{good, t.TempDir(), "../digits", "must not"},
		{good, t.TempDir(), ".digits", "must not begin with a dot"},
		{good, t.TempDir(), "", "must not be empty"},
		{good, bare, "digits", "the model lies there as a single file"},
		{good, bareFolder, "digits", "the model lies there as a single file"},
		{good, "https://example.com/models", "digits", `scheme "https" is none of file, s3, gs, azblob`},
		{good, "file://models", "digits", "a file URL has three slashes"},
		{good, "s3:///models", "digits", "no bucket"},
	} {
		_, err := publish.Publish(t.Context(), c.folder, c.to, c.model, quiet)
		assert.ErrorContains(t, err, c.want)
	}
}

// What a model refers to is published with it or not at all.
func TestAModelThatLacksItsWeights(t *testing.T) {
	text, err := os.ReadFile(onnxtest.Model(t, "external"))
	require.NoError(t, err)
	from, to := bundle(t, string(text)), t.TempDir()
	_, err = publish.Publish(t.Context(), from, to, "m", quiet)
	require.ErrorContains(t, err, `model.onnx refers to "external.data", which is not among the files of the bundle`)
	require.NoError(t, os.WriteFile(filepath.Join(from, "external.data"), make([]byte, 16), 0o600))
	_, err = publish.Publish(t.Context(), from, to, "m", quiet)
	require.NoError(t, err)
}

// TestAFullDisk needs a file system of its own, and so the right to mount one.
func TestAFullDisk(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can mount a small file system")
	}
	to := t.TempDir()
	if output, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", to).CombinedOutput(); err != nil {
		t.Skipf("no small file system can be mounted here: %s", output)
	}
	t.Cleanup(func() {
		output, err := exec.CommandContext(context.Background(), "umount", to).CombinedOutput()
		require.NoError(t, err, "%s", output)
	})
	_, err := publish.Publish(t.Context(), bundle(t, string(make([]byte, 100_000))), to, "digits", quiet)
	require.ErrorContains(t, err, "no space left on device")
	assert.Empty(t, under(t, to), "no empty model stays")
	_, err = publish.Publish(t.Context(), bundle(t, "small"), to, "digits", quiet)
	require.NoError(t, err)
	before := under(t, to)
	_, err = publish.Publish(t.Context(), bundle(t, string(make([]byte, 100_000))), to, "digits", quiet)
	require.ErrorContains(t, err, "no space left on device")
	assert.Equal(t, before, under(t, to), "nothing of it stays, and what was there does")
}

func TestWhatAKilledOneLeft(t *testing.T) {
	to := t.TempDir()
	old, young := filepath.Join(to, "digits/.publish-1"), filepath.Join(to, "digits/.publish-2")
	for _, folder := range []string{old, young} {
		require.NoError(t, os.MkdirAll(folder, 0o755))
	}
	dayBefore := time.Now().Add(-25 * time.Hour)
	require.NoError(t, os.Chtimes(old, dayBefore, dayBefore))
	_, err := publish.Publish(t.Context(), bundle(t, "one"), to, "digits", quiet)
	require.NoError(t, err)
	assert.NoDirExists(t, old)
	assert.DirExists(t, young, "somebody may be at work on it")
	model, found, err := repository.ScanModel(t.Context(), to, "digits")
	require.NoError(t, err)
	require.True(t, found)
	assert.Len(t, model.Bundles, 1, "no reader looks at what is under way")
}

// TestAStoreThatFails leaves a part that readers leave out. The next publisher of the
// same content resumes it under the same number, as after a kill.
func TestAStoreThatFails(t *testing.T) {
	to, failing := failingStore(t)
	first, second, third := bundle(t, "one"), bundle(t, "two"), bundle(t, "three")
	for _, c := range []struct {
		folder    string
		failing   bool
		published publish.Published
		there     []string // versions that a reader finds
	}{
		{first, true, publish.Published{}, nil},
		{first, false, publish.Published{Model: "digits", Version: 1}, []string{"1"}},
		{second, true, publish.Published{}, []string{"1"}},
		{third, false, publish.Published{Model: "digits", Version: 3}, []string{"1", "3"}},
		{second, false, publish.Published{Model: "digits", Version: 2}, []string{"1", "2", "3"}},
	} {
		failing.Store(c.failing)
		p, err := publish.Publish(t.Context(), c.folder, to, "digits", quiet)
		assert.Equal(t, c.published, p)
		if c.failing {
			assert.ErrorContains(t, err, "publish the same again to resume")
		} else {
			assert.NoError(t, err)
		}
		folder := filepath.Join(t.TempDir(), "repository")
		_, err = fetch.Fetch(t.Context(), to, folder, fetch.Options{Log: quiet.Log})
		if c.there == nil {
			assert.ErrorContains(t, err, "digits/1/model.onnx is named in its MANIFEST.json and missing")
			continue
		}
		require.NoError(t, err)
		versions, err := filepath.Glob(filepath.Join(folder, "digits", "*"))
		require.NoError(t, err)
		for i := range versions {
			versions[i] = filepath.Base(versions[i])
		}
		assert.Equal(t, c.there, versions)
	}
}

// TestCancelled does so when the first bytes have been moved, as the bar shows them.
func TestCancelled(t *testing.T) {
	for name, make := range repositories(t) {
		t.Run(name, func(t *testing.T) {
			to, look := make(t)
			folder := bundle(t, "one")
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			_, err := publish.Publish(ctx, folder, to, "digits", publish.Options{Terminal: drawn(cancel)})
			require.ErrorIs(t, err, context.Canceled)
			p, err := publish.Publish(t.Context(), folder, to, "digits", quiet)
			require.NoError(t, err)
			assert.Equal(t, publish.Published{Model: "digits", Version: 1}, p)
			assert.FileExists(t, filepath.Join(look(t), "digits/1/model.onnx"))
		})
	}
}

// drawn is called when something is drawn on it.
type drawn func()

func (d drawn) Write(text []byte) (int, error) {
	d()
	return len(text), nil
}

// TestWhatAStoreSaysIsQuoted has a store's text with commands to a terminal and a signed
// URL.
func TestWhatAStoreSaysIsQuoted(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte("<Error><Code>AccessDenied</Code><Message>\u009b31m https://store/x?X-Amz-Signature=hunter2</Message></Error>"))
	}))
	defer store.Close()
	_, err := publish.Publish(t.Context(), bundle(t, "one"), "s3://bucket?region=x&endpoint="+url.QueryEscape(store.URL), "digits", quiet)
	require.ErrorContains(t, err, `\u009b31m https://store/x`)
	assert.NotContains(t, err.Error(), "\u009b")
	assert.NotContains(t, err.Error(), "hunter2")
}
