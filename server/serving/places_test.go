package serving

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The largest load that waits begins next, those of one size in their order.
func TestTheLargestLoadBeginsNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlaces(1)
		leave, err := p.take(t.Context(), 1)
		require.NoError(t, err)
		gone, cancel := context.WithCancel(t.Context())
		go func() {
			_, err := p.take(gone, 100)
			assert.ErrorIs(t, err, context.Canceled)
		}()
		began := make(chan string)
		for _, load := range []struct {
			name string
			size int64
		}{{"small", 5}, {"first of two", 7}, {"second of two", 7}, {"large", 9}} {
			synctest.Wait()
			go func() {
				leave, err := p.take(t.Context(), load.size)
				assert.NoError(t, err)
				began <- load.name
				leave()
			}()
		}
		synctest.Wait()
		cancel()
		synctest.Wait()
		leave()
		for _, want := range []string{"large", "first of two", "second of two", "small"} {
			assert.Equal(t, want, <-began)
		}
		synctest.Wait()
		assert.Equal(t, 1, p.free)
	})
}

// A load that takes long gives its place back, once.
func TestALongLoadDelaysOthersForAWhileOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlaces(1)
		leave, err := p.take(t.Context(), 1)
		require.NoError(t, err)
		began := time.Now()
		next, err := p.take(t.Context(), 1)
		require.NoError(t, err)
		assert.Equal(t, placeTime, time.Since(began))
		leave()
		assert.Zero(t, p.free)
		next()
		assert.Equal(t, 1, p.free)
	})
}

// A load that is given up at the moment when it has a place gives it back.
func TestAPlaceOfALoadThatIsGivenUp(t *testing.T) {
	p := newPlaces(1)
	p.abandon(p.enqueue(1))
	assert.Equal(t, 1, p.free)
}
