package config

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFollowReplacesTheKeys(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys.txt")
	write := func(text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o600)) }
	write("a=leaked\n")
	keys, err := Auth{KeysFile: file}.Keys()
	require.NoError(t, err)

	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var reports []error
		done := make(chan struct{})
		go func() {
			defer close(done)
			keys.Follow(ctx, time.Second, func(err error) { reports = append(reports, err) })
		}()
		for _, step := range []struct {
			what, file string
			reports    int
			accepted   string
		}{
			{"no change", "a=leaked\n", 0, "leaked"},
			{"a replaced key", "a=new\n", 1, "new"},
			{"a broken file keeps the keys", "a\n", 2, "new"},
			{"the same broken file is reported once", "a\n", 2, "new"},
			{"a repaired file", "# again\na=new\n", 2, "new"},
			{"an empty file keeps the keys", "", 3, "new"},
			{"one more key", "a=new\nb=other\n", 4, "other"},
		} {
			write(step.file)
			time.Sleep(time.Second)
			synctest.Wait()
			assert.Len(t, reports, step.reports, step.what)
			_, accepted := keys.Match(step.accepted)
			assert.True(t, accepted, step.what)
		}
		_, accepted := keys.Match("leaked")
		assert.False(t, accepted, "a withdrawn key is still accepted")
		assert.NoError(t, reports[0])
		assert.ErrorContains(t, reports[1], "line 1: must be name=key")
		cancel()
		<-done
	})
}
