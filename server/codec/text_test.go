package codec_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/tensor"
)

func TestStrings(t *testing.T) {
	good := map[string]string{
		`""`:                   "",
		`"plain"`:              "plain",
		`"\"\\\/\b\f\n\r\t"`:   "\"\\/\b\f\n\r\t",
		`"\u0041\u00e9\u20AC"`: "Aé€",
		`"\ud83d\ude00 and 😀"`: "😀 and 😀",
		`"\u0000"`:             "\x00",
		`"tail \\"`:            `tail \`,
		"\"\u2028 \x7f\"":      "\u2028 \x7f",
	}
	for text, want := range good {
		got, err := decodeOne(tensor.Bytes, text)
		require.NoError(t, err, text)
		assert.Equal(t, []string{want}, got, text)
	}
	bad := map[string]string{
		`"open`:               "has no end",
		`"open\"`:             "has no end",
		"\"line\nbreak\"":     "control character 0x0a",
		"\"a\\tline\nbreak\"": "control character 0x0a",
		`"\x41"`:              "unknown escape",
		`"\'"`:                "unknown escape",
		`"\u12"`:              `bad \u escape`,
		`"\u12g4"`:            `bad \u escape`,
		`"\ud83d"`:            "lone surrogate",
		`"\ud83d\u0041"`:      "lone surrogate",
		`"\ude00"`:            "lone surrogate",
		`"\ude00\ud83d"`:      "lone surrogate",
		"\"\xff\"":            "not valid UTF-8",
		"\"\xc0\x80\"":        "not valid UTF-8",
		"\"\\n\xed\xa0\x80\"": "not valid UTF-8",
	}
	for text, want := range bad {
		_, err := decodeOne(tensor.Bytes, text)
		require.ErrorContains(t, err, want, text)
	}
}
