package fault_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"slipway/server/fault"
)

func TestText(t *testing.T) {
	for name, text := range map[string]string{
		"short":     `no model "größe"`,
		"ASCII":     strings.Repeat("a", 1<<20),
		"letters":   strings.Repeat("ü", 1<<20),
		"emoji":     strings.Repeat("😀", 1<<20),
		"controls":  strings.Repeat("\n%", 1<<20),
		"no UTF-8":  strings.Repeat("\xffa", 1<<20),
		"the limit": strings.Repeat("a", 2048),
		"one more":  strings.Repeat("a", 2049),
	} {
		got := fault.Text(errors.New(text))
		size := 0
		for _, b := range []byte(got) {
			if size++; b < ' ' || b > '~' || b == '%' {
				size += 2
			}
		}
		assert.LessOrEqual(t, size, 2048, name)
		assert.True(t, utf8.ValidString(got), name)
		if len(text) <= 2048 {
			assert.Equal(t, text, got, name)
			continue
		}
		assert.True(t, strings.HasSuffix(got, "…"), name)
		assert.Greater(t, size, 2000, name)
	}
}
