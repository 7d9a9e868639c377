package bundle

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
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

// Hidden reports whether readers skip a file or folder of that name: it
// begins with a dot, as what a mounted ConfigMap keeps its versions in, or ends
// in .tmp or .partial, which a writer may not have finished.
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
// that no message can carry, or that readers skip.
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
// is relative to, or that not every file system and message can carry. Paths have
// slashes.
func CheckPath(path string) error {
	switch {
	case !utf8.ValidString(path) || strings.Contains(path, `\`) || strings.ContainsFunc(path, unicode.IsControl):
		return fmt.Errorf("file name %q: must be UTF-8 without backslashes and control characters", path)
	case !fs.ValidPath(path) || path == "." || !filepath.IsLocal(filepath.FromSlash(path)):
		return fmt.Errorf("file name %q: leads out of its folder", path)
	}
	return nil
}

// CheckFiles returns an error unless the names, paths in a bundle's folder, make
// up a bundle that every reader accepts.
func CheckFiles(names []string) error {
	for _, name := range names {
		if err := checkFile(name); err != nil {
			return err
		}
	}
	if !slices.Contains(names, ModelFile) {
		return fmt.Errorf("a bundle is a folder with a %s, which this one lacks", ModelFile)
	}
	return nil
}

func checkFile(name string) error {
	switch err := CheckPath(name); {
	case err != nil:
		return err
	case HiddenPath(name):
		return fmt.Errorf("file name %q: no reader looks at a file of such a name; rename it", name)
	case strings.Count(name, "/") > MaxDepth:
		return fmt.Errorf("file name %q: more than %d folders deep", name, MaxDepth)
	}
	return nil
}
