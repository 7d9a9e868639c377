package repository

import "context"

// Look is one look of the watcher.
func (w *Watcher) Look() (State, error) { return w.scanner.scan(context.Background(), w.folder) }
