package scripts

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const root = "../.."

// run runs a script and returns what it prints.
func run(t *testing.T, environment []string, script string, args ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), script, args...)
	command.Env = append(os.Environ(), environment...)
	out, err := command.CombinedOutput()
	return string(out), err
}

func vulncheck(t *testing.T, database string) (string, error) {
	t.Helper()
	return run(t, []string{"GOVULNDB=" + database}, filepath.Join(root, "scripts/vulncheck"), "./server/fault")
}

func TestVulncheckNamesADatabaseThatItCannotReach(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed := "http://" + listener.Addr().String()
	require.NoError(t, listener.Close())
	out, err := vulncheck(t, closed)
	require.NoError(t, err, out)
	assert.Contains(t, out, "govulncheck skipped: the vulnerability database at "+closed+" cannot be reached")
}

func TestVulncheckPassesWithoutAFinding(t *testing.T) {
	out, err := vulncheck(t, database(t, "example.com/nobody", "example.com/nobody", "Nothing"))
	require.NoError(t, err, out)
	assert.Contains(t, out, "No vulnerabilities found")
	assert.NotContains(t, out, "skipped")
}

func TestVulncheckFailsForAFunctionThatIsCalled(t *testing.T) {
	out, err := vulncheck(t, database(t, "stdlib", "errors", "As"))
	require.Error(t, err, out)
	assert.Contains(t, out, "GO-2026-0001")
}

// database makes a vulnerability database with one entry, and returns its URL.
func database(t *testing.T, module, pkg, symbol string) string {
	t.Helper()
	folder := t.TempDir()
	for name, content := range map[string]string{
		"index/db.json":        `{"modified": "2026-01-01T00:00:00Z"}`,
		"index/modules.json":   fmt.Sprintf(`[{"path": %q, "vulns": [{"id": "GO-2026-0001", "modified": "2026-01-01T00:00:00Z"}]}]`, module),
		"index/vulns.json":     `[{"id": "GO-2026-0001", "modified": "2026-01-01T00:00:00Z"}]`,
		"ID/GO-2026-0001.json": fmt.Sprintf(advisory, module, pkg, symbol),
	} {
		file := filepath.Join(folder, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
	}
	return "file://" + folder
}

const advisory = `{
	"schema_version": "1.3.1", "id": "GO-2026-0001", "modified": "2026-01-01T00:00:00Z", "published": "2026-01-01T00:00:00Z",
	"summary": "an advisory of a test", "details": "an advisory of a test",
	"affected": [{
		"package": {"name": %q, "ecosystem": "Go"},
		"ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}],
		"ecosystem_specific": {"imports": [{"path": %q, "symbols": [%q]}]}
	}],
	"database_specific": {"url": "https://example.com/GO-2026-0001"}
}`
