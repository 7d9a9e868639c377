package serving_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/server/serving"
	"slipway/server/trial"
)

// What takes the place of an ONNX file is named, and what to do.
func TestAFileThatIsNoModelIsNamed(t *testing.T) {
	for content, want := range map[string]string{
		"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n": "the file is a Git LFS pointer",
		"<!DOCTYPE html><html></html>":                                              "the file is an HTML page",
		"":                                                                          "the file is empty",
		"PK\x03\x04archive/data.pkl":                                                "the file is a zip archive",
		"\x80\x02ctorch._utils\n_rebuild":                                           "the file is a pickle of Python",
	} {
		for _, o := range []serving.Options{{}, {Trials: trials(t, trial.Options{})}} {
			folder := t.TempDir()
			path := filepath.Join(folder, "m", "1", "model.onnx")
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
			c, _ := newCatalog(t, folder, o)
			require.NoError(t, c.LoadAll(t.Context()))
			require.ErrorContains(t, c.Ready(), path+": "+want)
		}
	}
}

// Golden answers that fail say that they were recorded otherwise.
func TestGoldenAnswersOfAnotherRuntime(t *testing.T) {
	recorded := strings.Replace(goldenLine("2.1"), `"tolerance"`, `"recorded":{"runtime":"ONNX Runtime 1.2.3","threads":7},"tolerance"`, 1)
	for _, o := range []serving.Options{{IntraOpThreads: 1}, {IntraOpThreads: 1, Trials: trials(t, trial.Options{})}} {
		folder := t.TempDir()
		install(t, folder, map[string]string{"m/1/model.onnx": "constant_1", "m/1/golden.ndjson": recorded})
		c, _ := newCatalog(t, folder, o)
		require.NoError(t, c.LoadAll(t.Context()))
		require.ErrorContains(t, c.Ready(), "recorded with ONNX Runtime 1.2.3 and 7 threads and is run with "+serving.Runtime()+" and 1 thread")
	}
}
