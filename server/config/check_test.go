package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/config"
)

// everyType has a key of each type that a configuration may have.
type everyType struct {
	Text     string         `yaml:"text"`
	Duration time.Duration  `yaml:"duration"`
	Pointer  *time.Duration `yaml:"pointer"`
	Whole    int            `yaml:"whole"`
	Byte     int8           `yaml:"byte"`
	Number   float64        `yaml:"number"`
	Switch   bool           `yaml:"switch"`
	Texts    []string       `yaml:"texts"`
	Wholes   []int64        `yaml:"wholes"`
	Section  struct {
		Timeout time.Duration `yaml:"timeout"`
	} `yaml:"section"`
	Sections []struct {
		Whole int `yaml:"whole"`
	} `yaml:"sections"`
	Named map[string]struct {
		Dims []int64 `yaml:"dims"`
	} `yaml:"named"`
}

// Every error names the key, what is there and what is wanted.
func TestWrongValues(t *testing.T) {
	for text, want := range map[string]string{
		"duration: 30":                    "[1:11] duration: got 30, want a duration such as 30s",
		`duration: "30"`:                  `[1:11] duration: got "30", want a duration such as 30s`,
		"duration: soon":                  `[1:11] duration: got "soon", want a duration such as 30s`,
		"duration: 1.5":                   "[1:11] duration: got 1.5, want a duration such as 30s",
		"duration: [1s]":                  "[1:11] duration: got a list, want a duration such as 30s",
		"duration: {a: s3cret}":           "[1:11] duration: got keys, want a duration such as 30s",
		"pointer: 5":                      "[1:10] pointer: got 5, want a duration such as 30s",
		"section:\n  timeout: 30":         "[2:12] section.timeout: got 30, want a duration such as 30s",
		"section: {timeout: 30}":          "[1:20] section.timeout: got 30, want a duration such as 30s",
		"section: s3cret":                 "[1:10] section: got a text, want the keys \"timeout\"",
		"section: [1]":                    "section: got a list, want the keys",
		"section: {timeOut: 1s}":          `[1:11] section.timeOut: unknown key, want one of "timeout"`,
		"whole: many":                     `[1:8] whole: got "many", want a whole number`,
		"whole: 1.5":                      "whole: got 1.5, want a whole number",
		"whole: true":                     "whole: got true, want a whole number",
		"whole: 99999999999999999999":     "whole: got 99999999999999999999, want a whole number",
		"whole: 1e300":                    "whole: got 1e300, want a whole number",
		"whole: .inf":                     "whole: got .inf, want a whole number",
		"byte: 300":                       "byte: got 300, want a whole number",
		"number: half":                    `number: got "half", want a number`,
		"number: .nan":                    "number: got .nan, want a number",
		"number: [1]":                     "number: got a list, want a number",
		"switch: 1":                       "switch: got 1, want true or false",
		`switch: "true"`:                  `switch: got "true", want true or false`,
		"switch: yes":                     `switch: got "yes", want true or false`,
		"text: [a]":                       "text: got a list, want a text",
		"texts: a":                        "texts: got a text, want a list",
		"texts: [a, {b: c}]":              "[1:12] texts[1]: got keys, want a text",
		"texts: [null]":                   "texts[0]: got null, want a text",
		"wholes: [1, x]":                  `wholes[1]: got "x", want a whole number`,
		"sections: [{whole: x}]":          `sections[0].whole: got "x", want a whole number`,
		"sections:\n- whole: 1\n- who: 1": `[3:3] sections[1].who: unknown key, want one of "whole"`,
		"named: {x: {dims: 4}}":           "named.x.dims: got a number, want a list",
		"named: [x]":                      "named: got a list, want names with a value each",
		"named: {x: 4}":                   `named.x: got a number, want the keys "dims"`,
		"txet: a":                         `[1:1] txet: unknown key, want one of "text", `,
		"<<: {text: a}":                   "<<: unknown key",
		"? txet\n: a":                     "txet: unknown key",
		"whole: 1.5\nswitch: 2":           "switch: got 2, want true or false",
	} {
		var all everyType
		err := config.DecodeYAML([]byte(text), &all)
		require.ErrorContains(t, err, want, text)
		assert.NotContains(t, err.Error(), "s3cret")
		assert.Zero(t, all, text)
	}
}

func TestValues(t *testing.T) {
	minute := time.Minute
	for text, want := range map[string]everyType{
		"text: 20260131":                        {Text: "20260131"},
		"text: no":                              {Text: "no"},
		"text: |\n  a\n":                        {Text: "a\n"},
		"duration: 1m":                          {Duration: time.Minute},
		"pointer: 1m":                           {Pointer: &minute},
		"whole: 6.7108864e+07":                  {Whole: 67108864},
		"whole: 1e+06":                          {Whole: 1000000},
		`whole: "5"`:                            {Whole: 5},
		"whole: -3":                             {Whole: -3},
		"whole: 0x10":                           {Whole: 16},
		"number: 1":                             {Number: 1},
		"number: 1e-3":                          {Number: .001},
		"switch: true":                          {Switch: true},
		"texts: [a, 2]":                         {Texts: []string{"a", "2"}},
		"wholes: [1]":                           {Wholes: []int64{1}},
		"section: {}":                           {},
		"text: !!str 5":                         {Text: "5"},
		"text: &anchor a":                       {Text: "a"},
		"section:\nsections: null\nnamed: ~":    {},
		"text:\nduration:\nwhole: ~\nswitch: ~": {},
	} {
		var all everyType
		require.NoError(t, config.DecodeYAML([]byte(text), &all), text)
		assert.Equal(t, want, all, text)
	}
}

// A key without a value keeps its default.
func TestNullKeepsTheDefault(t *testing.T) {
	c, err := config.Parse([]byte("http: {maxBodyBytes: null}\nshutdown:\n  delay:\nrepository: ~\nmodels:\n"))
	require.NoError(t, err)
	assert.Equal(t, config.Default(), c)
}

func TestWrongValuesAreBounded(t *testing.T) {
	text := "sections:\n" + strings.Repeat("- {whole: x}\n", 2000)
	err := config.DecodeYAML([]byte(text), &everyType{})
	require.ErrorContains(t, err, "and 1992 more errors")
	assert.Less(t, len(err.Error()), 1000)
}
