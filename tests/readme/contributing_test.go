package readme

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every file:function that CONTRIBUTING.md names exists, and every package has
// its row in the table.
func TestContributingNamesWhatExists(t *testing.T) {
	text, err := os.ReadFile("../../CONTRIBUTING.md")
	require.NoError(t, err)
	places := regexp.MustCompile("`([a-z][\\w/.-]*\\.(?:go|py)):(\\w+)`").FindAllStringSubmatch(string(text), -1)
	require.Greater(t, len(places), 25, "the traces are there")
	for _, place := range places {
		source, err := os.ReadFile(filepath.Join("../..", place[1]))
		if assert.NoError(t, err) {
			defined := regexp.MustCompile(`(?m)^\s*(?:func (?:\([^)]*\) )?|def )` + place[2] + `[\[(]`)
			assert.Regexp(t, defined, string(source), "%s has no function %s", place[1], place[2])
		}
	}
	folders, err := filepath.Glob("../../server/*/doc.go")
	require.NoError(t, err)
	require.NotEmpty(t, folders)
	for _, doc := range folders {
		name := filepath.Base(filepath.Dir(doc))
		assert.Contains(t, string(text), "`"+name+"`", "no row for the package")
	}
}
