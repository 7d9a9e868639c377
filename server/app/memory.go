package app

import (
	"context"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"slipway/server/admission"
	"slipway/server/config"
	"slipway/server/onnx"
	"slipway/server/telemetry"
)

const (
	// programBytes is what the process holds beside models and requests: code,
	// stacks, connections, what C's allocator keeps.
	programBytes = 128 << 20
	// leastBytes is what requests, and runs, have even when the models leave less.
	leastBytes = 16 << 20
)

// shares divide the memory of the container.
type shares struct {
	requests int64 // what requests hold together
	models   int64 // what sessions hold, for weights and for runs
	heap     int64 // Go's limit
}

// divide returns the shares of limit bytes when the models' weights have taken
// theirs. What is free is divided so that the worst fits: requests, half as much
// again for Go's garbage, and runs. requests is 0 to derive it.
func divide(limit, weights, requests int64) shares {
	free := max(0, limit-programBytes-weights)
	if requests == 0 {
		requests = max(leastBytes, free/100*43)
	}
	models := max(weights+leastBytes, limit-programBytes-requests/2*3)
	return shares{requests: requests, models: models, heap: max(requests/2*3, limit-models-programBytes/2)}
}

// memoryLimit returns the memory that the process may use: what is configured, the
// container's, or the machine's.
func memoryLimit(c config.Memory) (int64, error) {
	if c.Limit != 0 {
		return c.Limit, nil
	}
	limit, err := memlimit.FromSystem()
	if err != nil {
		return 0, fmt.Errorf("find the memory of the machine: %w", err)
	}
	if container, err := memlimit.FromCgroup(); err == nil {
		limit = min(limit, container)
	}
	return int64(min(limit, math.MaxInt64)), nil
}

// startMemory bounds what models and requests hold.
func (a *App) startMemory() (err error) {
	if a.memoryLimit, err = memoryLimit(a.config.Memory); err != nil {
		return err
	}
	a.budget = admission.NewBudget(0)
	a.divideMemory()
	telemetry.RegisterMemory(a.registry, telemetry.Memory{
		Stages: stageMemory(a.budget), Limit: a.budget.Limit,
		Models: onnx.MemoryInUse, ModelsRefused: onnx.MemoryRefused,
	})
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.returnMemory(ctx)
	}()
	a.undo.push(func(context.Context) error {
		stop()
		<-done
		return nil
	})
	return nil
}

func stageMemory(b *admission.Budget) (all []telemetry.StageMemory) {
	for _, s := range admission.Stages() {
		all = append(all, telemetry.StageMemory{
			Stage: s.String(),
			Held:  func() int64 { return b.UsedBy(s) }, Refused: func() int64 { return b.Refused(s) },
		})
	}
	return all
}

// openingModel gives a model that is being opened what requests don't hold, since what
// its weights take is known when it is open.
func (a *App) openingModel() (opened func()) {
	change := func(by int) {
		a.dividing.Lock()
		a.opening += by
		a.dividing.Unlock()
		a.divideMemory()
	}
	change(1)
	return func() { change(-1) }
}

// divideMemory divides the memory anew when models have been loaded or freed.
func (a *App) divideMemory() {
	a.dividing.Lock()
	defer a.dividing.Unlock()
	weights := onnx.MemoryInUse()
	s := divide(a.memoryLimit, weights, a.config.Memory.Budget)
	if a.opening > 0 {
		requests := a.budget.Used() - a.budget.UsedBy(admission.Load)
		s.models = max(s.models, a.memoryLimit-programBytes-requests)
	}
	a.budget.SetLimit(s.requests)
	onnx.LimitMemory(s.models)
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(s.heap)
	}
	a.log.Debug("memory divided", "limit", a.memoryLimit, "weights", weights, "requests", s.requests, "models", s.models, "heap", s.heap)
}

// returnMemory returns what a peak of requests has left to the system, once they are
// gone: Go would keep it for minutes, and C for good.
func (a *App) returnMemory(ctx context.Context) {
	const soonest, latest, worthwhile = 5 * time.Second, 5 * time.Minute, 64 << 20
	wait := soonest
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		held := heldByGo()
		if held < worthwhile || a.budget.Used() > held/4 {
			wait = soonest
			continue
		}
		debug.FreeOSMemory()
		onnx.Trim()
		if heldByGo() < held/4*3 {
			wait = soonest
		} else { // it is in use
			wait = min(2*wait, latest)
		}
	}
}

// heldByGo returns the bytes that Go has of the system's memory.
func heldByGo() int64 {
	all := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(all)
	return int64(all[0].Value.Uint64() - all[1].Value.Uint64())
}
