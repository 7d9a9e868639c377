package charts

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// helm-docs reads a comment at any depth, so only this test shows a comment that stands beside another key.
func TestCommentsOfValuesStandAtTheDepthOfTheirKeys(t *testing.T) {
	eachLine(t, "values.yaml", func(file string, number int, line, next string) {
		if isComment(line) && strings.TrimSpace(next) != "" {
			assert.Equal(t, depth(next), depth(line), "%s:%d: %s", file, number, line)
		}
	})
}

// A value without a description has an empty last cell in the README's table.
func TestEveryValueIsDescribed(t *testing.T) {
	eachLine(t, "README.md", func(file string, number int, line, _ string) {
		if strings.HasPrefix(line, "| ") && strings.HasSuffix(line, "` |  |") {
			assert.Fail(t, "a value without a description", "%s:%d: %s", file, number, line)
		}
	})
}

func isComment(line string) bool { return strings.HasPrefix(strings.TrimSpace(line), "#") }

func depth(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// eachLine reads a file of each chart, each line with the one after it.
func eachLine(t *testing.T, name string, check func(file string, number int, line, next string)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "charts", "*", name))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		lines := append(strings.Split(string(content), "\n"), "")
		for i, line := range lines[:len(lines)-1] {
			check(file, i+1, line, lines[i+1])
		}
	}
}
