package bundle

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Names of the files of a bundle.
const (
	ModelFile    = "model.onnx"
	GoldenFile   = "golden.ndjson"
	ManifestFile = "MANIFEST.json"
)

// ModelSuffix ends the name of a file that is a model by itself.
const ModelSuffix = ".onnx"

// Hidden reports whether readers pass over a file or folder of that name: it
// begins with a dot, as what a mounted ConfigMap keeps its versions in, or ends
// in .tmp or .partial, under which somebody may still write.
func Hidden(name string) bool {
	// An ext4 volume has a lost+found that only root can read.
	return strings.HasPrefix(name, ".") || name == "lost+found" ||
		strings.HasSuffix(name, ".tmp") || strings.HasSuffix(name, ".partial")
}

// HiddenPath reports whether any element of a path with slashes is hidden.
func HiddenPath(path string) bool {
	for element := range strings.SplitSeq(path, "/") {
		if Hidden(element) {
			return true
		}
	}
	return false
}

// IsManifest reports whether a name is the manifest's or that of a file that
// belongs to it, such as the signature MANIFEST.json.sig. A manifest names
// neither.
func IsManifest(name string) bool {
	return name == ManifestFile || strings.HasPrefix(name, ManifestFile+".")
}

// ParseVersion reads the name of a version's folder: a positive whole number
// without sign and leading zeros.
func ParseVersion(name string) (version int64, ok bool) {
	v, err := strconv.ParseInt(name, 10, 64)
	return v, err == nil && v > 0 && strconv.FormatInt(v, 10) == name
}

// CheckModelName returns an error for a name that would change a URL's meaning,
// that no message can carry, or that readers pass over.
func CheckModelName(model string) error {
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) }
	if model == "" || !utf8.ValidString(model) || strings.ContainsAny(model, "/:?#%") || strings.ContainsFunc(model, unprintable) {
		return fmt.Errorf("model name %q: must not be empty nor contain any of / : ? # %% or what cannot be printed", model)
	}
	if Hidden(model) {
		return fmt.Errorf("model name %q: must not begin with a dot, end in .tmp or .partial, or be lost+found: no reader looks at such a name", model)
	}
	return nil
}

// CheckPath returns an error for a path that does not stay inside the folder it
// is relative to. Paths have slashes.
func CheckPath(path string) error {
	if !fs.ValidPath(path) || path == "." || !filepath.IsLocal(filepath.FromSlash(path)) || strings.ContainsAny(path, "\\\x00") {
		return fmt.Errorf("file name %q: leads out of its folder", path)
	}
	return nil
}
