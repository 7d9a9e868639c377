package crashmark

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMain makes this binary the server that dies: it marks a run and kills itself.
func TestMain(m *testing.M) {
	if folder := os.Getenv("CRASHMARK_TEST_FOLDER"); folder != "" {
		marks, err := Open(folder)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		for _, version := range []string{"1", "2"} {
			mark, _ := marks.Mark("m", version, "content")
			mark.Begin()
			if version == "2" {
				mark.End()
			}
		}
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	os.Exit(m.Run())
}

func TestWhatRanWhenTheProcessDied(t *testing.T) {
	folder := t.TempDir()
	for deaths := 1; deaths <= 3; deaths++ {
		dies := exec.CommandContext(t.Context(), os.Args[0])
		dies.Env = append(os.Environ(), "CRASHMARK_TEST_FOLDER="+folder)
		require.ErrorContains(t, dies.Run(), "killed")
		m, err := Open(folder)
		require.NoError(t, err)
		assert.Equal(t, []Crash{{Model: "m", Version: "1", Runs: 1, Deaths: deaths, Held: deaths == 3}}, m.Found())
		mark, err := m.Mark("m", "1", "content")
		if deaths < 3 {
			require.NoError(t, err)
			assert.Contains(t, mark.Deaths(), fmt.Sprintf("%d times in the last hour", deaths))
		} else {
			require.ErrorContains(t, err, "3 times within an hour")
		}
		require.NoError(t, m.Close())
	}
	m, err := Open(folder)
	require.NoError(t, err)
	assert.Empty(t, m.Found(), "the last stop was clean")
	_, err = m.Mark("m", "1", "content")
	require.Error(t, err, "it stays held back")
	mark, err := m.Mark("m", "1", "other content")
	require.NoError(t, err)
	assert.Empty(t, mark.Deaths())
}

// server is a process that marks in this one.
type server struct {
	t      *testing.T
	folder string
	now    time.Time
	marks  *Marks
}

// start starts a server after its predecessor has died, or has stopped.
func (s *server) start() []Crash {
	s.t.Helper()
	if s.marks != nil {
		require.NoError(s.t, errors.Join(syscall.Munmap(s.marks.data), s.marks.file.Close())) // as the kernel does
	}
	var err error
	s.marks, err = open(s.folder, s.now)
	require.NoError(s.t, err)
	return s.marks.Found()
}

func (s *server) run(model string) {
	s.t.Helper()
	mark, err := s.marks.Mark(model, "1", "content")
	require.NoError(s.t, err)
	mark.Begin()
}

func (s *server) holds(model string) bool {
	_, err := s.marks.Mark(model, "1", "content")
	return err != nil
}

// A model that always runs is there at every death. It must not be held back for
// another's.
func TestEachDeathHoldsBackOneVersion(t *testing.T) {
	s := &server{t: t, folder: t.TempDir(), now: time.Now()}
	s.start()
	for range mostDeaths {
		s.run("good")
		s.run("bad") // it was loaded later
		s.now = s.now.Add(time.Minute)
		s.start()
	}
	assert.True(t, s.holds("bad"))
	assert.False(t, s.holds("good"))

	s.run("good")
	s.now = s.now.Add(time.Minute)
	found := s.start()
	require.Len(t, found, 1)
	assert.Equal(t, mostDeaths+1, found[0].Deaths)
	assert.True(t, s.holds("good"), "it was there again without the other")
}

func TestDeathsOfMoreThanAnHourAgoDoNotCount(t *testing.T) {
	s := &server{t: t, folder: t.TempDir(), now: time.Now()}
	s.start()
	for range 5 {
		s.run("m")
		s.now = s.now.Add(31 * time.Minute)
		s.start()
	}
	assert.False(t, s.holds("m"))
	assert.Len(t, s.marks.record.Deaths, 2)
}

func TestWhatIsBoundedOrDamaged(t *testing.T) {
	s := &server{t: t, folder: t.TempDir(), now: time.Now()}
	s.start()
	_, err := Open(s.folder)
	require.ErrorContains(t, err, "in use by another server")
	for i := range entries {
		mark, err := s.marks.Mark(fmt.Sprint("m", i), "1", "")
		require.NoError(t, err)
		require.NotNil(t, mark)
		if i == 7 {
			mark.Free()
		}
	}
	long, err := s.marks.Mark(strings.Repeat("é", 255), "1", strings.Repeat("f", 64))
	require.NoError(t, err)
	assert.Nil(t, long, "it fits into no entry")
	last, err := s.marks.Mark("last", "1", "")
	require.NoError(t, err)
	require.NotNil(t, last, "in the entry that was freed")
	none, err := s.marks.Mark("one more", "1", "")
	require.NoError(t, err)
	none.Begin()
	none.End()
	none.Free()
	assert.Empty(t, none.Deaths())

	for _, name := range []string{"running", "crashes.json"} {
		require.NoError(t, os.WriteFile(filepath.Join(s.folder, name), []byte(strings.Repeat("\xff{", 1<<20)), 0o600))
	}
	assert.Empty(t, s.start())
	_, err = Open(filepath.Join(s.folder, "absent"))
	assert.ErrorContains(t, err, "crashMarks.folder")
}

func TestWithoutMarks(t *testing.T) {
	var m *Marks
	mark, err := m.Mark("m", "1", "")
	require.NoError(t, err)
	mark.Begin()
	mark.End()
	assert.Empty(t, m.Found())
	require.NoError(t, m.Close())
}

func BenchmarkRun(b *testing.B) {
	m, err := Open(b.TempDir())
	require.NoError(b, err)
	mark, err := m.Mark("m", "1", "")
	require.NoError(b, err)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			mark.Begin()
			mark.End()
		}
	})
}
