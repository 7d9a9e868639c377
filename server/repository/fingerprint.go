package repository

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// fingerprint sets the fingerprints of a model and of its bundles. Errors count by
// their text: two scans that find the same fault make two errors.
func (m *Model) fingerprint() {
	var bundles strings.Builder
	for i := range m.Bundles {
		b := &m.Bundles[i]
		b.Fingerprint = m.fingerprintOf(*b)
		fmt.Fprintf(&bundles, "%d %q %q %s %q\n", b.Version, b.Path, b.Golden, b.Digest, text(b.Err))
	}
	m.Fingerprint = digest("%q %#v %v %q\n%s", m.Name, m.Config, m.Older, text(m.Err), &bundles)
}

func (m *Model) fingerprintOf(b Bundle) string { return digest("%#v %q", m.Config, b.Digest) }

func digest(format string, values ...any) string {
	sum := sha256.Sum256(fmt.Appendf(nil, format, values...))
	return hex.EncodeToString(sum[:])
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// same reports whether two scans found the same models and the same problems.
func (s State) same(other State) bool {
	if len(s.Models) != len(other.Models) || !sameTexts(s.Problems, other.Problems) {
		return false
	}
	for i, m := range s.Models {
		if m.Fingerprint != other.Models[i].Fingerprint {
			return false
		}
	}
	return true
}

func sameTexts(a, b []error) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Error() != b[i].Error() {
			return false
		}
	}
	return true
}
