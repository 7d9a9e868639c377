package repository

import "context"

// ScanOnce is one scan of the watcher.
func (w *Watcher) ScanOnce() (State, error) { return w.scanner.scan(context.Background(), w.folder) }
