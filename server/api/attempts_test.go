package api_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/api"
	"slipway/server/config"
	"slipway/server/fault"
)

// guarded is an API with the key s3cret.
func guarded(t *testing.T) *api.API {
	t.Helper()
	keys, err := config.ParseKeys("team-a=s3cret")
	require.NoError(t, err)
	return api.New(api.Options{Keys: keys})
}

// try sends a key and returns how long the answer took, and its kind.
func try(ctx context.Context, a *api.API, address, key string) (time.Duration, fault.Code) {
	began := time.Now()
	_, err := a.Authenticate(ctx, address, "", key)
	return time.Since(began), fault.CodeOf(err)
}

func TestWrongKeysAreSlowedDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := guarded(t)
		for range 10 {
			took, code := try(t.Context(), a, "192.0.2.1", "wrong")
			assert.Zero(t, took)
			assert.Equal(t, fault.Unauthenticated, code)
		}
		took, code := try(t.Context(), a, "192.0.2.1", "wrong")
		assert.Equal(t, time.Second, took)
		assert.Equal(t, fault.Unauthenticated, code)

		took, _ = try(t.Context(), a, "192.0.2.2", "wrong")
		assert.Zero(t, took, "another address")
		took, _ = try(t.Context(), a, "192.0.2.1", "")
		assert.Zero(t, took, "no key is no guess")
		began := time.Now()
		_, err := a.Authenticate(t.Context(), "192.0.2.1", "", "s3cret")
		require.NoError(t, err)
		assert.Zero(t, time.Since(began), "a right key")

		time.Sleep(2 * time.Minute)
		took, _ = try(t.Context(), a, "192.0.2.1", "wrong")
		assert.Zero(t, took, "a minute later")
	})
}

// However many guess at once, so many are answered in a second.
func TestManyWrongKeysAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := guarded(t)
		var waited, refused atomic.Int64
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				switch took, code := try(t.Context(), a, "192.0.2.1", "wrong"); {
				case code == fault.Overloaded:
					refused.Add(1)
				case took > 0:
					waited.Add(1)
				}
			})
		}
		all.Wait()
		assert.Equal(t, int64(8), waited.Load())
		assert.Equal(t, int64(82), refused.Load())

		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		took, _ := try(ctx, a, "192.0.2.1", "wrong")
		assert.Equal(t, 10*time.Millisecond, took, "a client that has gone")
	})
}

// A great many addresses take a bounded memory and are slowed down together.
func TestWrongKeysOfManyAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := guarded(t)
		var slow int
		for i := range 4096 + 100 {
			if took, _ := try(t.Context(), a, fmt.Sprintf("2001:db8::%x", i), "wrong"); took > 0 {
				slow++
			}
		}
		assert.Greater(t, slow, 50)
		time.Sleep(2 * time.Minute)
		took, _ := try(t.Context(), a, "2001:db8::ffff", "wrong")
		assert.Zero(t, took, "the others are forgotten")
	})
}
