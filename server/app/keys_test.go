package app

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestKeysFollowTheirFile withdraws a key from a server that runs.
func TestKeysFollowTheirFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys.txt")
	require.NoError(t, os.WriteFile(file, []byte("a=leaked\n"), 0o600))
	log := &syncBuffer{}
	o := options(t.TempDir(), log)
	o.Config.Auth.KeysFile = file
	a, err := New(t.Context(), o)
	require.NoError(t, err)
	a.keysInterval = time.Millisecond
	a.Start()
	defer func() { require.NoError(t, a.Stop()) }()

	with := func(key string) int {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.url(t, "http")+"/v1/models", http.NoBody)
		require.NoError(t, err)
		request.Header.Set("X-API-Key", key)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response.StatusCode
	}
	require.Equal(t, http.StatusOK, with("leaked"))
	require.NoError(t, os.WriteFile(file, []byte("a=fresh\n"), 0o600))
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.Equal(c, http.StatusOK, with("fresh"))
	}, 5*time.Second, time.Millisecond)
	assert.Equal(t, http.StatusUnauthorized, with("leaked"))
	assert.Eventually(t, func() bool { return strings.Contains(log.String(), "API keys reloaded") }, 5*time.Second, time.Millisecond)
	assert.NotContains(t, log.String(), "fresh")
}
