package config

import (
	"bufio"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"os"
	"strings"
)

// Keys are the API keys that requests may carry. They are kept as digests, so that
// no log line and no dump can show one.
type Keys struct {
	names   []string
	digests [][sha256.Size]byte
}

// Keys reads the file of keys, or returns nil when none is configured.
func (a Auth) Keys() (*Keys, error) {
	if a.KeysFile == "" {
		return nil, nil
	}
	body, err := os.ReadFile(a.KeysFile)
	if err != nil {
		return nil, fmt.Errorf("read API keys: %w", err)
	}
	k, err := ParseKeys(string(body))
	if err != nil {
		return nil, fmt.Errorf("read API keys %s: %w", a.KeysFile, err)
	}
	return k, nil
}

// ParseKeys reads lines of name=key. Empty lines and lines that start with #
// are left out. Errors name the line and never quote it.
func ParseKeys(text string) (*Keys, error) {
	k := &Keys{}
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
		k.names, k.digests = append(k.names, name), append(k.digests, digest)
	}
	if err := scanner.Err(); err != nil {
		return nil, err
	}
	if len(k.names) == 0 {
		return nil, errors.New("no keys; write a line name=key, or leave auth.keysFile out")
	}
	return k, nil
}

// Names are the names of the keys, in the file's order.
func (k *Keys) Names() []string { return k.names }

// Match returns the name of a key. It takes as long for a key that matches as for
// one that does not, wherever they differ.
func (k *Keys) Match(key string) (name string, ok bool) {
	digest := sha256.Sum256([]byte(key))
	found := -1
	for i := range k.digests {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(k.digests[i][:], digest[:]), i, found)
	}
	if found < 0 {
		return "", false
	}
	return k.names[found], true
}
