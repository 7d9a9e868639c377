package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"slipway/server/app"
	"slipway/server/config"
	"slipway/server/crashmark"
	"slipway/server/onnx"
)

type serveCommand struct {
	options
}

// Run serves until SIGTERM or SIGINT.
func (s serveCommand) Run() error {
	c, err := s.configuration()
	if err != nil {
		return err
	}
	processors, err := fitProcessors()
	if err != nil {
		return err
	}
	with := servingOptions(c, processors)
	child, err := trialCommandLine()
	if err != nil {
		return err
	}
	if with.Crashes, err = openCrashMarks(c.CrashMarks); err != nil {
		return err
	}
	if err := onnx.Init(c.ONNXRuntime.Library); err != nil {
		return err
	}
	signal.Ignore(syscall.SIGPIPE) // a log that is closed must not end the server
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	defer context.AfterFunc(ctx, func() { exitAfterGrace(c.Shutdown) })()
	a, err := app.New(ctx, app.Options{Config: c, Serving: with, Trial: child, Log: os.Stderr})
	if err == nil {
		err = a.Run(ctx)
	}
	err = errors.Join(err, with.Crashes.Close())
	if err != nil || a.LeftBehind() {
		return err // what still runs or loads uses ONNX Runtime
	}
	return onnx.Close()
}

// openCrashMarks returns nil, which marks nothing, without a folder.
func openCrashMarks(c config.CrashMarks) (*crashmark.Marks, error) {
	if c.Folder == "" {
		return nil, nil //nolint:nilnil // marks nothing
	}
	return crashmark.Open(c.Folder)
}

// exitAfterGrace ends a process that has not ended by itself well after its
// grace period: a run that hangs inside ONNX Runtime cannot be stopped.
func exitAfterGrace(s config.Shutdown) {
	time.Sleep(s.Delay + s.GracePeriod + 3*time.Second)
	time.AfterFunc(time.Second, func() { os.Exit(1) }) // what hangs may be the log
	fmt.Fprintln(os.Stderr, "slipway: still running after shutdown.gracePeriod; exiting without waiting longer")
	os.Exit(1)
}
