package charts

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// runOnce is the script around a program of the user's, in a workspace of its own.
type runOnce struct{ workspace, workload string }

func (r runOnce) command(t *testing.T, worker string, program ...string) *exec.Cmd {
	t.Helper()
	script, err := filepath.Abs(filepath.Join(root, "charts/model-training/files/run-once.sh"))
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), "sh", append([]string{script}, program...)...)
	command.Env = append(os.Environ(), "SLIPWAY_WORKSPACE="+r.workspace, "SLIPWAY_RUN=rel-1", "SLIPWAY_WORKLOAD="+r.workload, "PET_NODE_RANK="+worker)
	return command
}

// A Job that is made anew must not run the program of a run that has ended.
func TestAProgramThatHasEndedIsNotRunAgain(t *testing.T) {
	r := runOnce{t.TempDir(), "Job"}
	add := []string{"sh", "-c", `echo "$1" >>"$SLIPWAY_WORKSPACE/ran"`, "add", "an argument"}
	ran := func() string {
		content, err := os.ReadFile(filepath.Join(r.workspace, "ran"))
		require.NoError(t, err)
		return string(content)
	}
	require.NoError(t, r.command(t, "0", add...).Run())
	require.Equal(t, "an argument\n", ran())
	out, err := r.command(t, "0", add...).Output()
	require.NoError(t, err)
	assert.Equal(t, "an argument\n", ran(), "it ran twice")
	assert.Contains(t, string(out), "worker 0 of the run rel-1 has ended; another value of rerun runs it again")
	require.NoError(t, r.command(t, "1", add...).Run())
	require.Equal(t, "an argument\nan argument\n", ran(), "another worker has not ended")
}

func TestAProgramThatFailsIsRunAgain(t *testing.T) {
	r := runOnce{t.TempDir(), "Job"}
	for range 2 {
		var exit *exec.ExitError
		require.ErrorAs(t, r.command(t, "0", "sh", "-c", "exit 75").Run(), &exit)
		require.Equal(t, 75, exit.ExitCode())
	}
}

// A pod that stops sends SIGTERM to the script alone, and the program decides how it ends.
func TestAProgramSeesTheSignal(t *testing.T) {
	r := runOnce{t.TempDir(), "Job"}
	for program, want := range map[string]int{
		`trap "exit 75" TERM; echo ready; while :; do sleep 0.05; done`: 75,
		`echo ready; exec sleep 60`:                                     128 + int(syscall.SIGTERM),
	} {
		command := r.command(t, "0", "sh", "-c", program)
		waitFor(t, command, "ready")
		require.NoError(t, command.Process.Signal(syscall.SIGTERM))
		var exit *exec.ExitError
		require.ErrorAs(t, command.Wait(), &exit, program)
		assert.Equal(t, want, exit.ExitCode(), program)
	}
	require.NoDirExists(t, filepath.Join(r.workspace, "runs"), "a program that was stopped has not ended")
}

// A program that saves its progress when it is stopped may end with 0, and resumes in the next pod.
func TestAProgramThatWasStoppedHasNotEnded(t *testing.T) {
	for _, workload := range []string{"Job", "StatefulSet"} {
		r := runOnce{t.TempDir(), workload}
		command := r.command(t, "0", "sh", "-c", `trap "exit 0" TERM; echo ready; while :; do sleep 0.05; done`)
		waitFor(t, command, "ready")
		require.NoError(t, command.Process.Signal(syscall.SIGTERM))
		var exit *exec.ExitError
		require.ErrorAs(t, command.Wait(), &exit, workload)
		assert.Equal(t, 75, exit.ExitCode(), "another pod resumes")
		require.NoDirExists(t, filepath.Join(r.workspace, "runs"), workload)
	}
}

// A program that has ended well has, also where its mark can't be written.
func TestAMarkThatCannotBeWritten(t *testing.T) {
	r := runOnce{t.TempDir(), "Job"}
	folder := filepath.Join(r.workspace, "runs", "rel-1")
	require.NoError(t, os.MkdirAll(folder, 0o700))
	require.NoError(t, os.Symlink("no/folder/mark", filepath.Join(folder, "ended-0")))
	out, err := r.command(t, "0", "true").CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "another Job of this run would run the program again")
}

// A StatefulSet starts a container that exits again, so the script stays until the pod stops.
func TestAWorkerOfAStatefulSetStays(t *testing.T) {
	r := runOnce{t.TempDir(), "StatefulSet"}
	for range 2 {
		command := r.command(t, "0", "true")
		waitFor(t, command, "worker 0 of the run rel-1 has ended; another value of rerun runs it again")
		require.NoError(t, command.Process.Signal(syscall.SIGTERM))
		require.NoError(t, command.Wait())
	}
}

// waitFor starts the command and returns when it has printed a line.
func waitFor(t *testing.T, command *exec.Cmd, line string) {
	t.Helper()
	out, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	got, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, line+"\n", got)
}
