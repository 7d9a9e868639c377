package trial

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
)

// heldBy returns the memory of a process that the kernel can't take back: pages of
// files it can. It is 0 for a process that has ended.
func heldBy(pid int) int64 {
	path := fmt.Sprintf("/proc/%d/status", pid)
	anonymous, err := readKilobytes(path, "RssAnon")
	if err != nil { // a kernel that doesn't tell them apart
		anonymous, _ = readKilobytes(path, "VmRSS")
	}
	shared, _ := readKilobytes(path, "RssShmem")
	return anonymous + shared
}

// readKilobytes reads the value of a line "name:   123 kB", in bytes.
func readKilobytes(path, name string) (int64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(text) {
		value, found := bytes.CutPrefix(line, []byte(name+":"))
		if !found {
			continue
		}
		value = bytes.TrimSuffix(bytes.TrimSpace(value), []byte(" kB"))
		kilobytes, err := strconv.ParseInt(string(value), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read %s of %s: %w", name, path, err)
		}
		return kilobytes << 10, nil
	}
	return 0, fmt.Errorf("read %s: no %s in it", path, name)
}
