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

// Every test that SECURITY.md names, as `folder:Test` or as a file of a chart, exists.
func TestSecurityNamesTestsThatExist(t *testing.T) {
	text, err := os.ReadFile("../../SECURITY.md")
	require.NoError(t, err)
	tests := regexp.MustCompile("`([a-z][\\w/]*):(Test\\w+)`").FindAllStringSubmatch(string(text), -1)
	require.Greater(t, len(tests), 25)
	for _, test := range tests {
		assert.True(t, hasTest(t, filepath.Join("../..", test[1]), test[2]), "%s has no %s", test[1], test[2])
	}
	files := regexp.MustCompile("`(charts/[\\w/-]+\\.yaml)`").FindAllStringSubmatch(string(text), -1)
	require.NotEmpty(t, files)
	for _, file := range files {
		assert.FileExists(t, filepath.Join("../..", file[1]))
	}
}

func hasTest(t *testing.T, folder, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	require.NoError(t, err)
	for _, file := range files {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		if regexp.MustCompile(`(?m)^func ` + name + `\(`).Match(source) {
			return true
		}
	}
	return false
}
