package trial

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/admission"
	"slipway/server/modelconfig"
	"slipway/server/repository"
	"slipway/server/tensor"
)

// TestMain makes this binary the child too: what it does is its argument.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "trial" {
		if err := Main(func(string, Limits) error { return nil }, proofs[os.Args[2]]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// proofs are what children do in place of proving a model.
var proofs = map[string]Prove{
	"pass": func(_ context.Context, r Request, to Progress) (Result, error) {
		to.Step("opening")
		to.Step("running")
		return Result{MaxBatchSize: r.Settings.Batching.MaxBatchSize, BatchingRefused: r.Bundle.Path}, nil
	},
	"fail": func(context.Context, Request, Progress) (Result, error) {
		return Result{}, fmt.Errorf("prove: %w", &Failure{Reason: "golden answer 1", Permanent: true, GoldenMismatch: true})
	},
	"pass for now": func(context.Context, Request, Progress) (Result, error) {
		return Result{}, errors.New("the volume is away")
	},
	"crash": func(_ context.Context, _ Request, to Progress) (Result, error) {
		to.Step("running")
		_ = syscall.Kill(os.Getpid(), syscall.SIGSEGV)
		select {}
	},
	"killed": func(context.Context, Request, Progress) (Result, error) {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	},
	"compute": func(_ context.Context, _ Request, to Progress) (Result, error) {
		to.Step("running")
		for sum := 0; ; sum++ {
			if sum < 0 {
				return Result{}, nil
			}
		}
	},
	"wait": func(context.Context, Request, Progress) (Result, error) {
		select {}
	},
	"wait for a signal": func(ctx context.Context, r Request, _ Progress) (Result, error) {
		if err := os.WriteFile(r.Bundle.Path, []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
			return Result{}, err
		}
		<-ctx.Done()
		return Result{}, nil
	},
	"pass twice": func(_ context.Context, _ Request, to Progress) (Result, error) {
		to.Passed(Result{MaxBatchSize: 7, RefusesEmpty: true})
		to.Step("daring")
		return Result{MaxBatchSize: 7}, nil
	},
	"pass and die": func(_ context.Context, _ Request, to Progress) (Result, error) {
		to.Step("opening")
		to.Passed(Result{MaxBatchSize: 3})
		to.Passed(Result{MaxBatchSize: 7, RefusesEmpty: true})
		to.Step("daring")
		_ = syscall.Kill(os.Getpid(), syscall.SIGSEGV)
		select {}
	},
	"pass and fail": func(_ context.Context, _ Request, to Progress) (Result, error) {
		to.Passed(Result{MaxBatchSize: 7})
		return Result{}, &Failure{Reason: "it fails"}
	},
	"pass and wait": func(_ context.Context, _ Request, to Progress) (Result, error) {
		to.Passed(Result{MaxBatchSize: 7, RefusesEmpty: true})
		to.Step("waiting")
		select {}
	},
	"take memory": func(_ context.Context, _ Request, to Progress) (Result, error) {
		to.Step("running")
		debug.SetGCPercent(-1)
		for all := [][]byte{}; ; {
			all = append(all, make([]byte, 1<<20))
			clear(all[len(all)-1])
		}
	},
	"take 400 MiB": func(context.Context, Request, Progress) (Result, error) {
		const size = 400 << 20
		memory, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
		if err != nil {
			return Result{}, err
		}
		for i := 0; i < size; i += os.Getpagesize() {
			memory[i] = 1
		}
		return Result{MaxBatchSize: int(memory[0])}, nil
	},
	"report nonsense": func(context.Context, Request, Progress) (Result, error) {
		_, err := os.NewFile(reportsFD, "reports").WriteString(strings.Repeat(`{"Step":"x"}`, maxReports))
		return Result{}, err
	},
	"pass, then crash": func(context.Context, Request, Progress) (Result, error) {
		_, _ = os.NewFile(reportsFD, "reports").WriteString(`{"Result":{}}`)
		os.Exit(3)
		return Result{}, nil
	},
}

func newTrials(proof string, o Options) *Trials {
	o.Command = []string{os.Args[0], "trial", proof}
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	return New(o, 4<<30, nil)
}

// A child that dies after it has passed has shown what it reported last.
func TestAChildThatDiesAfterItHasPassed(t *testing.T) {
	for proof, want := range map[string]struct {
		died   string
		empty  bool
		within time.Duration
	}{
		"pass twice":    {"", false, time.Minute},
		"pass and die":  {"the trial ended by SIGSEGV, daring", true, time.Minute},
		"pass and wait": {"the trial ended by SIGKILL, waiting", true, time.Second},
	} {
		result, release, err := newTrials(proof, Options{Timeout: want.within}).Run(t.Context(), Request{IntraOpThreads: 1})
		require.NoError(t, err, proof)
		release()
		assert.Equal(t, 7, result.MaxBatchSize)
		assert.Equal(t, want.empty, result.RefusesEmpty)
		if want.died == "" {
			assert.Empty(t, result.Died)
		} else {
			assert.Contains(t, result.Died, want.died)
		}
	}
	assert.Equal(t, "it fails", run(t, "pass and fail", Options{}).Reason)
}

// run runs one trial and returns its failure.
func run(t *testing.T, proof string, o Options) *Failure {
	t.Helper()
	_, _, err := newTrials(proof, o).Run(t.Context(), Request{IntraOpThreads: 1})
	var f *Failure
	require.ErrorAs(t, err, &f)
	return f
}

func TestAVersionThatPasses(t *testing.T) {
	trials := newTrials("pass", Options{})
	r := Request{Bundle: repository.Bundle{Path: "/models/m.onnx"}, IntraOpThreads: 1}
	r.Settings.Batching.MaxBatchSize = 7
	result, release, err := trials.Run(t.Context(), r)
	require.NoError(t, err)
	assert.Equal(t, 7, result.MaxBatchSize)
	assert.Equal(t, "/models/m.onnx", result.BatchingRefused)
	require.Len(t, result.Steps, 2)
	assert.Equal(t, "opening", result.Steps[0].Name)
	assert.Positive(t, result.Steps[0].Took)
	assert.Greater(t, result.PeakBytes, int64(1<<20))
	assert.Equal(t, result.PeakBytes, trials.memory.reserved(), "what the load is about to need")
	release()
	assert.Zero(t, trials.memory.reserved())
}

func TestAVersionThatDoesNotPass(t *testing.T) {
	for proof, test := range map[string]struct {
		options   Options
		permanent bool
		want      []string
	}{
		"fail":             {Options{}, true, []string{"golden answer 1"}},
		"pass for now":     {Options{}, false, []string{"the volume is away"}},
		"crash":            {Options{}, true, []string{"ended by SIGSEGV, running"}},
		"killed":           {Options{}, true, []string{"ended by SIGKILL, starting"}},
		"wait":             {Options{Timeout: time.Second}, false, []string{"did not end within 1s, starting"}},
		"take memory":      {Options{Memory: 100 << 20}, false, []string{"more memory than the 100 MiB", "running", "trial.enabled"}},
		"report nonsense":  {Options{}, true, []string{"exit status 1, x", "broken pipe"}},
		"pass, then crash": {Options{}, true, []string{"exit status 3"}},
	} {
		t.Run(proof, func(t *testing.T) {
			f := run(t, proof, test.options)
			assert.Equal(t, test.permanent, f.Permanent, f.Reason)
			for _, want := range test.want {
				assert.Contains(t, f.Reason, want)
			}
		})
	}
}

func TestALateTrial(t *testing.T) {
	f := run(t, "compute", Options{Timeout: time.Second})
	assert.Contains(t, f.Reason, "did not end within 1s, running; it used ")
	assert.True(t, late(time.Minute, 20*time.Second, "").Permanent, "it would compute again")
	assert.False(t, late(time.Minute, 10*time.Second, "").Permanent, "it waited")
}

func TestGoldenMismatchIsReported(t *testing.T) {
	assert.True(t, run(t, "fail", Options{}).GoldenMismatch)
}

// The memory that a trial may use is what the limit says, and not much more or less.
func TestMemoryLimit(t *testing.T) {
	f := run(t, "take 400 MiB", Options{Memory: 60 << 20})
	assert.Contains(t, f.Reason, "60 MiB")
	result, release, err := newTrials("take 400 MiB", Options{Memory: 480 << 20}).Run(t.Context(), Request{IntraOpThreads: 1})
	require.NoError(t, err)
	release()
	assert.Equal(t, 1, result.MaxBatchSize)
	assert.Greater(t, result.PeakBytes, int64(400<<20))
}

// A trial gets little memory at first, so that several find space side by side, and
// all that there is when that was too little.
func TestATrialThatNeedsMoreIsRunAgain(t *testing.T) {
	trials := newTrials("take 400 MiB", Options{})
	_, release, err := trials.Run(t.Context(), Request{IntraOpThreads: 1})
	require.NoError(t, err)
	release()
	assert.Zero(t, trials.memory.reserved())
}

func TestACanceledTrialIsKilled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	path := filepath.Join(t.TempDir(), "pid")
	ended := make(chan error, 1)
	go func() {
		_, _, err := newTrials("wait for a signal", Options{}).Run(ctx, Request{Bundle: repository.Bundle{Path: path}, IntraOpThreads: 1})
		ended <- err
	}()
	var pid int
	require.Eventually(t, func() bool {
		text, _ := os.ReadFile(path)
		pid, _ = strconv.Atoi(string(text))
		return pid > 0
	}, 20*time.Second, time.Millisecond)
	assert.Equal(t, "1000", procFile(t, pid, "oom_score_adj"), "the child is killed for memory before the server")
	assert.Equal(t, strconv.Itoa(niceness), strings.Fields(procFile(t, pid, "stat"))[18])
	cause := errors.New("unloaded")
	cancel(cause)
	require.ErrorIs(t, <-ended, cause)
	assert.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH, "it has ended and was waited for")
}

func procFile(t *testing.T, pid int, name string) string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
	require.NoError(t, err)
	return strings.TrimSpace(string(text))
}

func TestTheProgramIsNotThere(t *testing.T) {
	trials := New(Options{Command: []string{"/nowhere/slipway"}, Timeout: time.Minute}, 1<<30, nil)
	_, _, err := trials.Run(t.Context(), Request{})
	require.ErrorContains(t, err, "start a trial")
	assert.Zero(t, trials.memory.reserved())
}

// TestRequestSurvivesTheWay fills every field: one that is lost would make the trial
// prove something else than what is served.
func TestRequestSurvivesTheWay(t *testing.T) {
	full := Request{Settings: modelconfig.Config{
		WarmUp:   []modelconfig.WarmUp{{Name: "w", BatchSize: 2, Inputs: map[string]modelconfig.WarmUpInput{"x": {DType: tensor.FP16, Dims: []int64{}}}}},
		Declared: []modelconfig.Declared{{Name: "x", DType: tensor.Int8, Dims: nil, Input: true}, {Name: "y", Dims: []int64{-1}}},
	}}
	fill(reflect.ValueOf(&full).Elem())
	c, err := start(t.Context(), []string{os.Args[0], "trial", "echo"}, task{Request: full, Limits: Limits{Memory: 1 << 30, ProcessorTime: time.Minute, IntraOpThreads: 1}}, func(int64) bool { return false })
	require.NoError(t, err)
	assert.Equal(t, fmt.Sprintf("%#v", full), c.wait().Failure.Reason)
}

// fill gives every number, text and truth that is zero another value.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(field)
		}
	case reflect.Int, reflect.Int64:
		v.SetInt(max(v.Int(), 1<<40))
	case reflect.String:
		v.SetString("a \"text\"")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		if v.IsNil() && v.Type().Elem().Kind() != reflect.Struct {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		}
	}
}

func init() {
	proofs["echo"] = func(_ context.Context, r Request, _ Progress) (Result, error) {
		return Result{}, fmt.Errorf("%#v", r)
	}
}

func (m *memory) reserved() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return sum(m.shares)
}

// nothing is what a server holds in a test of memory.
func nothing() int64 { return 0 }

func TestReservations(t *testing.T) {
	m := &memory{limit: 1 << 30, used: nothing}
	first, err := m.reserve(t.Context(), 256<<20, false)
	require.NoError(t, err)
	assert.EqualValues(t, 256<<20, first.bytes)

	_, changed, err := m.tryReserve(800<<20, false)
	require.NoError(t, err)
	require.NotNil(t, changed, "it waits for the other")
	_, alone, err := m.tryReserve(1, true)
	require.NoError(t, err)
	require.NotNil(t, alone)
	first.shrink(32 << 20)
	<-changed
	second, err := m.reserve(t.Context(), 800<<20, false)
	require.NoError(t, err)
	first.release()
	second.release()

	all, err := m.reserve(t.Context(), 1<<40, true)
	require.NoError(t, err)
	assert.EqualValues(t, 896<<20, all.bytes, "seven eighths")
	small, err := m.reserve(t.Context(), 100<<20, false)
	require.NoError(t, err, "beside the largest a small one has space")
	small.release()
	all.release()
	assert.Zero(t, m.reserved())
	assert.Empty(t, m.shares)

	m.limit = 8 << 20
	_, err = m.reserve(t.Context(), 1, false)
	require.ErrorContains(t, err, "has 7 MiB left")
	m.limit, m.most = 1<<30, 100<<20
	bounded, err := m.reserve(t.Context(), 1<<40, false)
	require.NoError(t, err)
	assert.EqualValues(t, 100<<20, bounded.bytes)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = m.reserve(ctx, 1, true)
	assert.ErrorIs(t, err, context.Canceled)
}

// A trial ends before the server does: when the server needs the memory after all.
func TestATrialGivesWayToTheServer(t *testing.T) {
	server := int64(0)
	m := &memory{limit: 1 << 30, used: func() int64 { return server }}
	one, err := m.reserve(t.Context(), 300<<20, false)
	require.NoError(t, err)
	other, err := m.reserve(t.Context(), 300<<20, false)
	require.NoError(t, err)
	assert.False(t, one.exceeds(200<<20))
	assert.True(t, one.exceeds(301<<20))
	server = 600 << 20
	assert.False(t, one.exceeds(200<<20))
	assert.True(t, other.exceeds(200<<20), "together with the other's")
	one.release()
	assert.False(t, other.exceeds(200<<20))
}

func TestReservationsAreChargedToTheBudget(t *testing.T) {
	budget := admission.NewBudget(400 << 20)
	m := &memory{limit: 1 << 30, used: nothing, budget: budget}
	r, err := m.reserve(t.Context(), 1<<40, false)
	require.NoError(t, err)
	assert.EqualValues(t, 896<<20, r.bytes)
	assert.EqualValues(t, 350<<20, budget.UsedBy(admission.Load), "small requests keep their eighth")
	r.shrink(1 << 20)
	assert.EqualValues(t, 1<<20, budget.UsedBy(admission.Load))
	r.release()
	assert.Zero(t, budget.Used())
}
