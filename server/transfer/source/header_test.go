package source_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/transfer/source"
)

func TestParseHeaders(t *testing.T) {
	t.Parallel()
	for text, expected := range map[string]http.Header{
		"":                              {},
		"Authorization: Bearer a:b\r\n": {"Authorization": {"Bearer a:b"}},
		"x-a: 1\nX-A: 2\n# c\n\n":       {"X-A": {"1", "2"}},
		"Authorization":                 nil,
		"Authorization:":                nil,
		": secret":                      nil,
		"two words: secret":             nil,
		"A: b\x00c":                     nil,
	} {
		got, err := source.ParseHeaders([]byte(text))
		if expected == nil {
			require.ErrorContains(t, err, "line 1: expected Name: value", text)
			assert.NotContains(t, err.Error(), "secret")
			continue
		}
		require.NoError(t, err, text)
		assert.Equal(t, expected, got)
	}
}

func FuzzParseHeaders(f *testing.F) {
	f.Add([]byte("Authorization: Bearer token\n# c\n"))
	f.Add([]byte("\x00:\r\n:"))
	f.Fuzz(func(t *testing.T, text []byte) {
		headers, err := source.ParseHeaders(text)
		if err != nil {
			return
		}
		for name, values := range headers {
			assert.NotEmpty(t, name)
			for _, v := range values {
				assert.NotContains(t, v, "\n")
			}
		}
	})
}
