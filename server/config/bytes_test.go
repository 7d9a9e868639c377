package config_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"slipway/server/config"
)

func TestParseBytes(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "1024": 1024, "10Gi": 10 << 30, "1.5Ki": 1536, "1M": 1000000, "1e3": 1000,
		"": -1, "-1": -1, "many": -1, "1GiB": -1, "1m": -1, "0.5": -1, "9Ei": math.MaxInt64,
	} {
		got, err := config.ParseBytes(text)
		if want < 0 {
			assert.Error(t, err, text)
			continue
		}
		assert.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
}
