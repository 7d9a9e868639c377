// Package names lists names in messages: those that the reader may have meant, and how
// many more there are. It must not know what has the names.
package names

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/agnivade/levenshtein"
)

const (
	// most names of a message.
	most = 8
	// longest is how much of a name is shown and compared, in bytes.
	longest = 64
	// compared bounds the names whose distance is computed: each takes microseconds.
	compared = 1000
)

// List quotes names for a message. Of more than fit it has those that are nearest to the
// name that was given, and how many more there are.
func List(given string, all []string) string {
	if len(all) == 0 {
		return "none"
	}
	shown := all
	if len(all) > most {
		shown = nearest(given, all[:min(len(all), compared)])[:most]
	}
	quoted := make([]string, len(shown))
	for i, name := range shown {
		quoted[i] = Quote(name)
	}
	text := strings.Join(quoted, ", ")
	if more := len(all) - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// Quote quotes a name, or the beginning of a long one.
func Quote(name string) string {
	if len(name) > longest {
		return strconv.Quote(strings.ToValidUTF8(name[:longest], "")) + "…"
	}
	return strconv.Quote(name)
}

// nearest returns the names in the order of their distance from the one that was given.
func nearest(given string, all []string) []string {
	type candidate struct {
		name     string
		distance int
	}
	given = comparedBy(given)
	candidates := make([]candidate, len(all))
	for i, name := range all {
		candidates[i] = candidate{name, levenshtein.ComputeDistance(given, comparedBy(name))}
	}
	slices.SortStableFunc(candidates, func(a, b candidate) int { return cmp.Compare(a.distance, b.distance) })
	sorted := make([]string, len(all))
	for i, c := range candidates {
		sorted[i] = c.name
	}
	return sorted
}

func comparedBy(name string) string { return strings.ToLower(name[:min(len(name), longest)]) }
