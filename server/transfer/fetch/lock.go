package fetch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path"
	"syscall"
	"time"

	"slipway/server/transfer"
)

const lockInterval = 200 * time.Millisecond

// lock waits until no other fetch writes into the same repository, as the pods of
// one release do that share a volume.
func lock(ctx context.Context, folder *transfer.Folder, log *slog.Logger) (unlock func() error, err error) {
	if err := folder.MkdirAll(workFolder); err != nil {
		return nil, err
	}
	f, err := folder.Create(path.Join(workFolder, "lock"), os.O_RDWR)
	if err != nil {
		return nil, err
	}
	for logged := false; ; logged = true {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f.Close, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", f.Name(), err), f.Close())
		}
		if !logged {
			log.Info("waiting for another fetch into the same folder", "lock", f.Name())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(context.Cause(ctx), f.Close())
		case <-time.After(lockInterval):
		}
	}
}
