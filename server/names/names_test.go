package names_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"slipway/server/names"
)

func TestList(t *testing.T) {
	var many []string
	for i := range 600 {
		many = append(many, fmt.Sprintf("customer_feature_%04d_rolling_mean_30d", i))
	}
	tests := map[string]struct {
		given string
		all   []string
		want  string
	}{
		"none":                    {"x", nil, "none"},
		"a few, in their order":   {"z", []string{"x", "y", "z"}, `"x", "y", "z"`},
		"the nearest first":       {"pirce", []string{"a", "b", "c", "d", "e", "f", "g", "h", "price"}, `"price", "c", "e", "a", "b", "d", "f", "g" and 1 more`},
		"whatever the case":       {"PRICE", append(many[:20:20], "price"), `"price", "customer_feature_0000_rolling_mean_30d"`},
		"how many more there are": {"customer_feature_599_rolling_mean_30d", many, `"customer_feature_0599_rolling_mean_30d", `},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			assert.True(t, strings.HasPrefix(names.List(tt.given, tt.all), tt.want), names.List(tt.given, tt.all))
		})
	}
	assert.True(t, strings.HasSuffix(names.List("x", many), " and 592 more"))
}

// However long the names are and however many, a message stays short.
func TestListIsBounded(t *testing.T) {
	long := strings.Repeat("ü\x00", 1<<20)
	all := make([]string, 5000)
	for i := range all {
		all[i] = long
	}
	assert.Less(t, len(names.List(long, all)), 3000)
	assert.Contains(t, names.List(long, all), " and 4992 more")
}

// BenchmarkList is the most that a request with a wrong name costs.
func BenchmarkList(b *testing.B) {
	var all []string
	for i := range 1000 {
		all = append(all, fmt.Sprintf("recommendations-for-market-%04d-and-segment-a", i))
	}
	for b.Loop() {
		names.List("recommendation-for-market-0999-and-segment-b", all)
	}
}
