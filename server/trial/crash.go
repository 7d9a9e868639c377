package trial

import (
	"fmt"
	"regexp"
	"strings"
	"syscall"
	"unicode"
)

// inC is how Go's runtime reports that C code has caused a signal.
const inC = "signal arrived during cgo execution"

var (
	// goSignal is how Go's runtime reports a signal: it then exits with a status.
	goSignal = regexp.MustCompile(`\bSIG[A-Z]+\b`)
	// noMemory is how C++, ONNX Runtime and Go report that they got no memory. A
	// thread's stack is memory too.
	noMemory = regexp.MustCompile(`bad_alloc|[Ff]ailed to allocate|[Cc]annot allocate memory|out of memory|pthread_create failed|pthread_setaffinity|Resource temporarily unavailable`)
)

// failed completes a failure that the child reported.
func (c *child) failed(f *Failure, memory int64) *Failure {
	if !f.Permanent && noMemory.MatchString(f.Reason) {
		return c.outOfMemory(memory, f.Reason)
	}
	return f
}

// crashed is the failure of a child that ended without a report.
func (c *child) crashed(memory int64) *Failure {
	output := printable(c.output.String())
	how := c.command.ProcessState.String()
	status, ok := c.command.ProcessState.Sys().(syscall.WaitStatus)
	inGo := false
	switch {
	case ok && status.Signaled():
		how = signalName(status.Signal())
	case goSignal.MatchString(output):
		how = goSignal.FindString(output)
		inGo = strings.Contains(output, "sigcode=1 ") && !strings.Contains(output, inC)
	}
	reason := fmt.Sprintf("the trial ended by %s, %s", how, c.while())
	if how == "SIGKILL" {
		reason += fmt.Sprintf("; it used %s of processor time", c.processorTime())
	}
	if line := firstLine(output, noMemory); line != "" {
		reason += ": " + line
	}
	// Without memory Go's runtime crashes in one way or another, and in no other case.
	if c.overMemory || inGo || noMemory.MatchString(output) {
		return c.outOfMemory(memory, reason)
	}
	return &Failure{Permanent: true, Reason: reason}
}

// outOfMemory is no permanent failure: the server may have more memory to spare later.
func (c *child) outOfMemory(memory int64, reason string) *Failure {
	return &Failure{outOfMemory: true, Reason: fmt.Sprintf(
		"the trial needs more memory than the %d MiB that it may use (seven eighths of what the container has left beside the server, or trial.memory): %s; "+
			"raise the pod's memory limit, or turn trials off (trial.enabled)", memory>>20, reason)}
}

// signalName returns the name of the signals that end a process by themselves.
func signalName(s syscall.Signal) string {
	names := map[syscall.Signal]string{
		syscall.SIGSEGV: "SIGSEGV", syscall.SIGABRT: "SIGABRT", syscall.SIGBUS: "SIGBUS", syscall.SIGFPE: "SIGFPE",
		syscall.SIGILL: "SIGILL", syscall.SIGKILL: "SIGKILL", syscall.SIGXCPU: "SIGXCPU", syscall.SIGSYS: "SIGSYS", syscall.SIGTRAP: "SIGTRAP",
	}
	if name, known := names[s]; known {
		return name
	}
	return "signal " + s.String()
}

// firstLine returns the first line that matches, else the first that is not empty.
func firstLine(text string, like *regexp.Regexp) (first string) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if like.MatchString(line) {
			return line
		}
		if first == "" {
			first = line
		}
	}
	return first
}

// printable returns text without control characters: it comes from a process that a
// model may have taken over.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
}
