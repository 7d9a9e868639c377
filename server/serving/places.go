package serving

import (
	"context"
	"sync"
	"time"
)

// placeTime is how long a load may keep another from beginning. One that takes longer
// goes on beside the next: a few that never end must not keep all others waiting.
const placeTime = 10 * time.Second

// places bounds the loads that begin side by side: each takes about a processor.
type places chan struct{}

func newPlaces(n int) places { return make(places, max(n, 1)) }

// take waits for a place. It is given back by leave, or after placeTime.
func (p places) take(ctx context.Context) (leave func(), _ error) {
	select {
	case p <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	once := sync.OnceFunc(func() { <-p })
	timer := time.AfterFunc(placeTime, once)
	return func() {
		timer.Stop()
		once()
	}, nil
}
