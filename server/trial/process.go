package trial

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

const (
	maxReports = 1 << 20 // bytes that are read of a child's reports
	maxOutput  = 4 << 10 // first and last bytes that are kept of what it prints
)

// child is one process. Whoever started it must call wait on the same goroutine.
type child struct {
	command *exec.Cmd
	reports *os.File
	output  output
	step    string  // the last one that began
	passed  *Result // what counts if the child dies

	peak         int64 // bytes that it was seen to hold
	overMemory   bool  // it was killed because it held more than it may
	stopWatching context.CancelFunc
	watching     sync.WaitGroup
}

// start starts a child, which is killed when ctx is done, or when the memory that it
// holds exceeds what it may.
func start(ctx context.Context, command []string, t task, exceeds func(held int64) bool) (*child, error) {
	text, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	reports, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer write.Close()
	c := &child{command: exec.CommandContext(ctx, command[0], command[1:]...), reports: reports}
	c.command.Stdin = bytes.NewReader(text)
	c.command.Stdout, c.command.Stderr = &c.output, &c.output
	c.command.ExtraFiles = []*os.File{write} // reportsFD
	c.command.Env = append(os.Environ(), "GOTRACEBACK=none")
	c.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	c.command.Cancel = func() error { return syscall.Kill(-c.command.Process.Pid, syscall.SIGKILL) }
	c.command.WaitDelay = time.Second
	// Pdeathsig is sent when this thread ends, not the process.
	runtime.LockOSThread()
	if err := c.command.Start(); err != nil {
		runtime.UnlockOSThread()
		return nil, errors.Join(err, reports.Close())
	}
	ctx, c.stopWatching = context.WithCancel(ctx)
	c.watching.Go(func() { c.watchMemory(ctx, exceeds) })
	return c, nil
}

// watchMemory kills the child when it holds more memory than it may. The child's own
// limit refuses what is much too large at once, but counts what is never touched too,
// so it is not as tight.
func (c *child) watchMemory(ctx context.Context, exceeds func(held int64) bool) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		held := heldBy(c.command.Process.Pid)
		c.peak = max(c.peak, held)
		if exceeds(held) {
			c.overMemory = true
			_ = c.command.Cancel() // it may have ended by itself
			return
		}
	}
}

// wait returns the child's last report, which is empty if it ended without one that
// counts, and waits for its end.
func (c *child) wait() (last report) {
	defer runtime.UnlockOSThread()
	lines := json.NewDecoder(io.LimitReader(c.reports, maxReports))
	for {
		var next report
		if err := lines.Decode(&next); err != nil {
			break // the pipe ends with the child; what a damaged child has written is no report
		}
		last = next
		c.step = cmp.Or(next.Step, c.step)
		if next.Passed != nil {
			c.passed = next.Passed
		}
	}
	_ = c.reports.Close() // a child that writes on ends
	c.stopWatching()      // before the child's number may be that of another process
	c.watching.Wait()
	if err := c.command.Wait(); err != nil {
		return report{}
	}
	return last
}

func (c *child) processorTime() time.Duration {
	return c.command.ProcessState.UserTime() + c.command.ProcessState.SystemTime()
}

// while names the step that was under way.
func (c *child) while() string {
	if c.step == "" {
		return "starting"
	}
	return c.step
}

// late is the failure of a child that did not end in time. One that computed for much
// of it would do so again; one that waited, as for a slow volume, may not.
func late(timeout, computed time.Duration, while string) *Failure {
	return &Failure{
		Permanent: computed > timeout/4,
		Reason: fmt.Sprintf("the trial did not end within %s, %s; it used %s of processor time (repository.loadTimeout)",
			timeout, while, computed.Round(time.Millisecond)),
	}
}

// output keeps the first and the last bytes that are written to it: a crash is
// reported first and explained at length.
type output struct{ first, last []byte }

func (o *output) Write(p []byte) (int, error) {
	n := min(len(p), maxOutput-len(o.first))
	o.first = append(o.first, p[:n]...)
	o.last = append(o.last, p[n:]...)
	o.last = append(o.last[:0], o.last[max(0, len(o.last)-maxOutput):]...)
	return len(p), nil
}

func (o *output) String() string { return string(o.first) + string(o.last) }
