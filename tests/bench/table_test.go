//go:build bench

package bench

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// row is one line of the table: what was measured, against what, and the least
// that the ratio of the two should be. Without a target it only informs.
type row struct {
	name          string
	measured      string
	against       string
	ratio, target float64
	atMost        bool // the target is the most that the ratio may be
	note          string
}

func (r row) verdict() string {
	switch {
	case r.target == 0:
		return ""
	case r.atMost && r.ratio <= r.target, !r.atMost && r.ratio >= r.target:
		return "PASS"
	}
	return "MISS"
}

func (r row) targetText() string {
	switch {
	case r.target == 0:
		return "–"
	case r.atMost:
		return fmt.Sprintf("≤ %.2f", r.target)
	}
	return fmt.Sprintf("≥ %.2f", r.target)
}

var table struct {
	sync.Mutex
	rows []row
}

// report takes a line up into the table and says it at once.
func report(r row) {
	table.Lock()
	defer table.Unlock()
	table.rows = append(table.rows, r)
	fmt.Printf("      %s: %s against %s: %.2f (%s) %s %s\n",
		r.name, r.measured, r.against, r.ratio, r.targetText(), r.verdict(), r.note)
}

func perSecond(rate float64) string { return fmt.Sprintf("%.0f/s", rate) }

func milliseconds(seconds float64) string { return fmt.Sprintf("%.2f ms", seconds*1e3) }

// writeTable writes what was measured as markdown, to the file and to stdout.
func writeTable(path string) error {
	if len(table.rows) == 0 {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# Load tests\n\nOn %s, %d processors, %s. ", processor(), runtime.NumCPU(), runtime.Version())
	if *quick {
		b.WriteString("A quick run: one short round, not a measurement. ")
	}
	b.WriteString("Every ratio compares two things measured in turn in the same run on the same processors.\n\n")
	b.WriteString("| case | measured | against | ratio | target | | |\n| --- | ---: | ---: | ---: | ---: | --- | --- |\n")
	for _, r := range table.rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %.2f | %s | %s | %s |\n",
			r.name, r.measured, r.against, r.ratio, r.targetText(), r.verdict(), r.note)
	}
	fmt.Print("\n" + b.String())
	return os.WriteFile(path, []byte(b.String()), 0o644)
}

// processor is its name as Linux has it.
func processor() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(info)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}
