package bench

import (
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/schollz/progressbar/v3"
)

// Bar shows the progress of one point on a terminal.
func Bar(terminal io.Writer, name string, total time.Duration) (progress func(time.Duration, uint64), done func() error) {
	bar := progressbar.NewOptions64(total.Milliseconds(),
		progressbar.OptionSetWriter(terminal),
		progressbar.OptionSetDescription(name),
		progressbar.OptionSetWidth(30),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionClearOnFinish(),
	)
	return func(elapsed time.Duration, calls uint64) {
		bar.Describe(fmt.Sprintf("%s: %d responses", name, calls))
		bar.Set64(min(elapsed, total).Milliseconds()) //nolint:errcheck // no run fails because its bar can't be drawn
	}, bar.Finish
}

// Lines logs the progress of one point every few seconds, where there is no terminal.
func Lines(log *slog.Logger, name string, total time.Duration) func(time.Duration, uint64) {
	const every = 5 * time.Second
	next := every
	return func(elapsed time.Duration, calls uint64) {
		if elapsed < next || elapsed >= total {
			return
		}
		next += every
		log.Info("measuring", "load", name, "elapsed", elapsed.Round(time.Second).String(), "of", total.String(), "answers", calls)
	}
}
