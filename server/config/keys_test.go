package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/config"
)

func TestKeys(t *testing.T) {
	k, err := config.ParseKeys("# two teams\nbatch = s3cret=with=signs\n\nweb=other\n")
	require.NoError(t, err)
	assert.Equal(t, []string{"batch", "web"}, k.Names())
	for key, want := range map[string]string{"s3cret=with=signs": "batch", "other": "web", "": "", "s3cret": "", "web": ""} {
		name, ok := k.Match(key)
		assert.Equal(t, want, name)
		assert.Equal(t, want != "", ok)
	}
	assert.NotContains(t, fmt.Sprintf("%+v %#v", k, k), "s3cret")
}

func TestParseKeysRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                    "no keys",
		"# nothing":           "no keys",
		"a=1\ns3cret":         "line 2: must be name=key",
		"=s3cret":             "line 1: must be name=key",
		"a=":                  "line 1: must be name=key",
		"a=s3cret\na=other":   "line 2: duplicate name of a key",
		"a=s3cret\nb=s3cret ": "line 2: the same key",
	} {
		_, err := config.ParseKeys(text)
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), "s3cret")
	}
}

func FuzzParseKeys(f *testing.F) {
	f.Add("a=1\n#x\nb=2")
	f.Fuzz(func(t *testing.T, text string) {
		k, err := config.ParseKeys(text)
		if err != nil {
			return
		}
		for i, name := range k.Names() {
			assert.NotEmpty(t, name)
			assert.NotContains(t, k.Names()[:i], name)
			assert.False(t, strings.ContainsAny(name, "=\n"))
		}
	})
}
