package config

import (
	"bufio"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
)

// Keys are the API keys that requests may carry. Follow replaces them when their
// file changes.
type Keys struct {
	file  string
	table atomic.Pointer[keyTable]
}

// keyTable keeps keys as digests, so that no log line and no dump can show one.
type keyTable struct {
	names   []string
	digests [][sha256.Size]byte
}

// Keys reads the file of keys, or returns nil when none is configured.
func (a Auth) Keys() (*Keys, error) {
	if a.KeysFile == "" {
		return nil, nil
	}
	return readKeys(a.KeysFile)
}

func readKeys(file string) (*Keys, error) {
	body, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read API keys: %w", err)
	}
	k, err := ParseKeys(string(body))
	if err != nil {
		return nil, fmt.Errorf("read API keys %s: %w", file, err)
	}
	k.file = file
	return k, nil
}

// ParseKeys reads lines of name=key. Empty lines and lines that start with #
// are left out. Errors name the line and never quote it.
func ParseKeys(text string) (*Keys, error) {
	t := &keyTable{}
	seenNames, seenKeys := map[string]bool{}, map[[sha256.Size]byte]bool{}
	scanner := bufio.NewScanner(strings.NewReader(text))
	for number := 1; scanner.Scan(); number++ {
		line := strings.TrimSpace(scanner.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		name, key, found := strings.Cut(line, "=")
		name, key = strings.TrimSpace(name), strings.TrimSpace(key)
		digest := sha256.Sum256([]byte(key))
		switch {
		case !found || name == "" || key == "":
			return nil, fmt.Errorf("line %d: must be name=key", number)
		case seenNames[name]:
			return nil, fmt.Errorf("line %d: duplicate name of a key", number)
		case seenKeys[digest]:
			return nil, fmt.Errorf("line %d: the same key has another name above", number)
		}
		seenNames[name], seenKeys[digest] = true, true
		t.names, t.digests = append(t.names, name), append(t.digests, digest)
	}
	if err := scanner.Err(); err != nil {
		return nil, err
	}
	if len(t.names) == 0 {
		return nil, errors.New("no keys; write a line name=key, or leave auth.keysFile out")
	}
	k := &Keys{}
	k.table.Store(t)
	return k, nil
}

// Names are the names of the keys, in the file's order.
func (k *Keys) Names() []string { return k.table.Load().names }

// Match returns the name of a key. It takes as long for a key that matches as for
// one that does not, wherever they differ.
func (k *Keys) Match(key string) (name string, ok bool) {
	t, digest := k.table.Load(), sha256.Sum256([]byte(key))
	found := -1
	for i := range t.digests {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(t.digests[i][:], digest[:]), i, found)
	}
	if found < 0 {
		return "", false
	}
	return t.names[found], true
}
