//go:build bench

package bench

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// quick makes one short round of everything.
var quick = flag.Bool("quick", false, "one short round of each case: a smoke test, not a measurement")

// root is the checkout, folder where reports, plots and logs go.
var root, folder string

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if root, err = filepath.Abs("../.."); err != nil {
		return 1, err
	}
	folder = filepath.Join(root, ".build", "bench")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return 1, err
	}
	code = m.Run()
	return code, writeTable(filepath.Join(folder, "table.md"))
}

// rounds of a comparison; their median counts.
func rounds() int {
	if *quick {
		return 1
	}
	return 3
}

// period is how long one side of a round is measured.
func period() time.Duration {
	if *quick {
		return time.Second
	}
	return 2 * time.Second
}

const warmup = 500 * time.Millisecond
