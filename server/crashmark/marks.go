package crashmark

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Marks is the file of what runs, of one server. A nil Marks marks nothing.
type Marks struct {
	file   *os.File
	data   []byte // the mapped file
	record record
	found  []Crash

	mu   sync.Mutex
	free []int // entries without a version, the next one last
}

// Crash is a version that was running when an earlier process died.
type Crash struct {
	Model, Version string
	Runs           int  // that were under way
	Deaths         int  // of the last hour in which the version was running
	Held           bool // the version is held back since
}

// Open reads the marks in a folder that an earlier process has left, and marks what
// runs there from now on. Close ends that.
func Open(folder string) (*Marks, error) {
	m, err := open(folder, time.Now())
	if err != nil {
		return nil, fmt.Errorf("open crash marks (crashMarks.folder): %w", err)
	}
	return m, nil
}

func open(folder string, now time.Time) (_ *Marks, err error) {
	m := &Marks{}
	if m.file, err = os.OpenFile(filepath.Join(folder, "running"), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.file.Close())
		}
	}()
	if err := syscall.Flock(int(m.file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, fmt.Errorf("%s is in use by another server: %w", m.file.Name(), err)
	}
	left, err := readEntries(m.file)
	if err != nil {
		return nil, err
	}
	if m.record, err = readRecord(filepath.Join(folder, "crashes.json"), now); err != nil {
		return nil, err
	}
	if m.found, err = m.record.add(left, now); err != nil {
		return nil, err
	}
	return m, m.mapFile()
}

// mapFile writes a file without marks and maps it. It is written, not left sparse: a
// page that a full disk can't hold ends the process when it is touched.
func (m *Marks) mapFile() (err error) {
	if _, err := m.file.WriteAt(make([]byte, fileSize), 0); err != nil {
		return err
	}
	m.data, err = syscall.Mmap(int(m.file.Fd()), 0, fileSize, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	for i := range entries {
		m.free = append(m.free, entries-1-i)
	}
	return err
}

// Found returns what was running when the last process died. It is empty after a
// clean stop.
func (m *Marks) Found() []Crash {
	if m == nil {
		return nil
	}
	return m.found
}

// Mark returns the mark of a version; content is a digest of its files and settings.
// The error is why the version is held back. There are marks for as many versions as
// are ever loaded at once; what comes on top has none.
func (m *Marks) Mark(model, version, content string) (*Mark, error) {
	if m == nil {
		return nil, nil //nolint:nilnil // a nil Mark marks nothing
	}
	this := identity{Model: model, Version: version, Content: content}
	if err := m.record.held(this); err != nil {
		return nil, err
	}
	this.Loaded = time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	text, err := this.encode()
	last := len(m.free) - 1
	if err != nil || last < 0 {
		return nil, nil //nolint:nilnil,nilerr // neither is a reason not to serve
	}
	mark := &Mark{marks: m, entry: m.free[last], version: this}
	m.free = m.free[:last]
	mark.write(text)
	return mark, nil
}

// Close removes the marks: the process ends as it should. The mapping stays, because
// a run that was left behind may still mark its end.
func (m *Marks) Close() error {
	if m == nil {
		return nil
	}
	return errors.Join(os.Remove(m.file.Name()), m.file.Close())
}
