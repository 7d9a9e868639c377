package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFetchBytes(t *testing.T) {
	t.Parallel()
	for text, expected := range map[string]byteSize{
		"1024": 1024, "10Gi": 10 << 30, "1.5Ki": 1536, "1M": 1000000, "1e3": 1000,
		"": 0, "0": 0, "-1": 0, "many": 0, "1GiB": 0,
	} {
		var b byteSize
		err := b.UnmarshalText([]byte(text))
		assert.Equal(t, expected, b, text)
		assert.Equal(t, expected == 0, err != nil, text)
	}
}

// TestFetchCommand bounds what is written, and prints no password.
func TestFetchCommand(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "iris.onnx")
	require.NoError(t, os.WriteFile(file, make([]byte, 2000), 0o644))
	output, ok := ran(t, "fetch", file, t.TempDir(), "--max-bytes=1Ki")
	assert.False(t, ok)
	assert.Contains(t, output, "does not fit into --max-bytes=1024")
	output, ok = ran(t, "fetch", file, t.TempDir(), "--max-bytes=2Ki")
	assert.True(t, ok, output)
	output, ok = ran(t, "fetch", "oci://ann:hunter2@registry/iris:1", t.TempDir())
	assert.False(t, ok)
	assert.Contains(t, output, "a user and password have no place in an oci location")
	assert.NotContains(t, output, "hunter2")
}
