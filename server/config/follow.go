package config

import (
	"context"
	"slices"
	"time"
)

// Follow reads the file of keys again at each interval, until ctx is done. It reports
// each change once: nil when the new keys are in force, or the error that keeps the
// keys from before. So a key is withdrawn without a restart, and a file that is
// broken or gone locks nobody out.
func (k *Keys) Follow(ctx context.Context, interval time.Duration, report func(error)) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	problem := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		next, err := readKeys(k.file)
		switch {
		case err != nil:
			if problem != err.Error() {
				problem = err.Error()
				report(err)
			}
		case next.table.Load().equal(k.table.Load()):
			problem = ""
		default:
			problem = ""
			k.table.Store(next.table.Load())
			report(nil)
		}
	}
}

func (t *keyTable) equal(other *keyTable) bool {
	return slices.Equal(t.names, other.names) && slices.Equal(t.digests, other.digests)
}
