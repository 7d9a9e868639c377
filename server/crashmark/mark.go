package crashmark

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"sync/atomic"
	"time"
	"unsafe"
)

// An entry of the file is a count of runs, the length of a text, and the text, which
// is an identity in JSON.
const (
	entries   = 1024
	entrySize = 512
	textAt    = 8
	fileSize  = entries * entrySize
)

// identity is a version with its content, and since when it is loaded.
type identity struct {
	Model   string    `json:"model"`
	Version string    `json:"version"`
	Content string    `json:"content"`
	Loaded  time.Time `json:"loaded"`
}

func (i identity) same(other identity) bool {
	return i.Model == other.Model && i.Version == other.Version && i.Content == other.Content
}

func (i identity) encode() ([]byte, error) {
	text, err := json.Marshal(i)
	if err == nil && len(text) > entrySize-textAt {
		err = errors.New("the names are too long for an entry")
	}
	return text, err
}

// Mark is a version's entry. A nil Mark marks nothing.
type Mark struct {
	marks   *Marks
	entry   int
	version identity
}

func (m *Mark) bytes() []byte { return m.marks.data[m.entry*entrySize:][:entrySize:entrySize] }

// runs is the count of runs, which the file's successor reads as little endian: it is
// the same machine.
func (m *Mark) runs() *uint32 { return (*uint32)(unsafe.Pointer(unsafe.SliceData(m.bytes()))) }

func (m *Mark) write(text []byte) {
	b := m.bytes()
	copy(b[textAt:], text)
	binary.NativeEndian.PutUint32(b[4:], uint32(len(text)))
}

// Begin marks that a run begins. It costs a few nanoseconds beside a run
// (go test -bench . ./server/crashmark).
func (m *Mark) Begin() {
	if m != nil {
		atomic.AddUint32(m.runs(), 1)
	}
}

// End marks that a run has ended.
func (m *Mark) End() {
	if m != nil {
		atomic.AddUint32(m.runs(), ^uint32(0))
	}
}

// Deaths says at how many deaths of the last hour the version was running; empty
// means none.
func (m *Mark) Deaths() string {
	if m == nil {
		return ""
	}
	return m.marks.record.suspect(m.version, time.Now())
}

// Free gives the entry to the next version. No run may be under way.
func (m *Mark) Free() {
	if m == nil {
		return
	}
	m.marks.mu.Lock()
	defer m.marks.mu.Unlock()
	clear(m.bytes())
	m.marks.free = append(m.marks.free, m.entry)
}

// left is an entry in which runs were under way.
type left struct {
	identity
	runs int
}

// readEntries returns the entries that a process has left with runs under way. An
// entry that doesn't read as one counts as none.
func readEntries(f io.ReaderAt) (all []left, err error) {
	data := make([]byte, fileSize)
	if _, err := f.ReadAt(data, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	for i := range entries {
		e := data[i*entrySize:][:entrySize]
		runs, length := binary.NativeEndian.Uint32(e), binary.NativeEndian.Uint32(e[4:])
		if runs == 0 || length > entrySize-textAt {
			continue
		}
		one := left{runs: int(runs)}
		if json.Unmarshal(e[textAt:][:length], &one.identity) == nil && one.Model != "" {
			all = append(all, one)
		}
	}
	return all, nil
}
