package trial

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"
)

const (
	// niceness lets requests of the server go first.
	niceness = 5
	// processors is for Go's part of a trial; ONNX Runtime has threads of its own.
	processors = 2
	// started is what the process and ONNX Runtime need before a model is opened.
	started = 64 << 20
	// stack is the address space of a thread's stack. It counts as data although
	// little of it is ever used.
	stack = 8 << 20
	// otherThreads are those that Go and ONNX Runtime start beside a run's.
	otherThreads = 8
)

// apply limits the process. RLIMIT_DATA refuses private writable memory when it is
// mapped, before it is touched. RLIMIT_AS is no bound, because Go reserves far more
// address space than it uses. What Go's heap maps over its own reservations passes
// RLIMIT_DATA unseen; the parent watches what is resident (watchMemory).
func (l Limits) apply() error {
	runtime.GOMAXPROCS(processors)
	yieldToServer()
	if err := setLimit(syscall.RLIMIT_CORE, 0); err != nil {
		return err
	}
	if err := setLimit(syscall.RLIMIT_CPU, int64((l.ProcessorTime+time.Second-1)/time.Second)); err != nil {
		return err
	}
	debug.SetMemoryLimit(l.Memory / 2)
	now, err := readKilobytes("/proc/self/status", "VmData")
	if err != nil {
		return err
	}
	threads := int64(l.IntraOpThreads + otherThreads)
	return setLimit(syscall.RLIMIT_DATA, now+started+threads*stack+l.Memory)
}

func setLimit(resource int, most int64) error {
	var now syscall.Rlimit
	if err := syscall.Getrlimit(resource, &now); err != nil {
		return fmt.Errorf("getrlimit %d: %w", resource, err)
	}
	value := min(uint64(most), now.Max)
	if err := syscall.Setrlimit(resource, &syscall.Rlimit{Cur: value, Max: value}); err != nil {
		return fmt.Errorf("setrlimit %d to %d: %w", resource, value, err)
	}
	return nil
}

// yieldToServer gives way to the server's processor time and memory. It is not
// everywhere allowed, and the limits hold without it.
func yieldToServer() {
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0)
	threads, _ := os.ReadDir("/proc/self/task") // each has a niceness of its own, which new ones inherit
	for _, t := range threads {
		if id, err := strconv.Atoi(t.Name()); err == nil {
			_ = syscall.Setpriority(syscall.PRIO_PROCESS, id, niceness)
		}
	}
}
