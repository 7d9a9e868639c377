// Package repository finds model bundles in a folder. It knows where files lie
// and what a bundle is made of; it does not open a model.
//
//	<repository>/<model>/<version>/model.onnx
//	<repository>/<model>/model.onnx             version 1
//	<repository>/<model>.onnx                   version 1
package repository

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const modelFile = "model.onnx"

// Bundle is one version of one model.
type Bundle struct {
	Model   string
	Version int64
	Path    string // of the ONNX file
}

// Scan lists the bundles under folder by model, then version, ascending.
// Symbolic links are followed and names that start with a dot left out, as a
// mounted ConfigMap needs. Anything that is not part of the layout is an error:
// what nobody reads must not look as if it were served.
func Scan(folder string) ([]Bundle, error) {
	entries, err := list(folder)
	if err != nil {
		return nil, fmt.Errorf("scan repository: %w", err)
	}
	var all []Bundle
	var problems []error
	seen := map[string]string{}
	for _, e := range entries {
		model, found, err := scanEntry(folder, e)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		if other, twice := seen[model]; twice {
			problems = append(problems, fmt.Errorf("model %q is both %s and %s; keep one", model, other, e.Name()))
		}
		seen[model] = e.Name()
		all = append(all, found...)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("scan repository %s: %w", folder, err)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("scan repository %s: no model; expected <model>/<version>/%s", folder, modelFile)
	}
	slices.SortFunc(all, func(a, b Bundle) int {
		return cmp.Or(cmp.Compare(a.Model, b.Model), cmp.Compare(a.Version, b.Version))
	})
	return all, nil
}

func scanEntry(folder string, e os.FileInfo) (model string, found []Bundle, err error) {
	path := filepath.Join(folder, e.Name())
	if e.IsDir() {
		if err := checkName(e.Name()); err != nil {
			return "", nil, err
		}
		found, err = scanModel(path, e.Name())
		return e.Name(), found, err
	}
	model, isModel := strings.CutSuffix(e.Name(), ".onnx")
	if !isModel {
		return "", nil, fmt.Errorf("%s: neither a model folder nor an .onnx file", path)
	}
	return model, []Bundle{{Model: model, Version: 1, Path: path}}, checkName(model)
}

func scanModel(path, model string) ([]Bundle, error) {
	entries, err := list(path)
	if err != nil {
		return nil, err
	}
	var found []Bundle
	bare := false
	for _, e := range entries {
		at := filepath.Join(path, e.Name())
		switch version, numeric := parseVersion(e.Name()); {
		case e.Name() == "config.yaml" || e.Name() == "config.pbtxt":
			return nil, fmt.Errorf("%s: per-model configuration is not read by this version; remove it", at)
		case e.IsDir() && numeric:
			file := filepath.Join(at, modelFile)
			if _, err := os.Stat(file); err != nil {
				return nil, fmt.Errorf("model %q version %d: %w", model, version, err)
			}
			found = append(found, Bundle{Model: model, Version: version, Path: file})
		case e.IsDir():
			return nil, fmt.Errorf("%s: a version folder is named by a positive whole number", at)
		case e.Name() == modelFile:
			bare = true
		}
	}
	switch {
	case bare && len(found) > 0:
		return nil, fmt.Errorf("%s: has both %s and version folders; move the file into one", path, modelFile)
	case bare:
		return []Bundle{{Model: model, Version: 1, Path: filepath.Join(path, modelFile)}}, nil
	case len(found) == 0:
		return nil, fmt.Errorf("%s: no %s and no version folder", path, modelFile)
	}
	return found, nil
}

// list stats the entries of a folder through symbolic links, without dot names.
func list(folder string) ([]os.FileInfo, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var infos []os.FileInfo
	for _, e := range entries {
		// ext4 volumes have a lost+found that only root can read.
		if strings.HasPrefix(e.Name(), ".") || e.Name() == "lost+found" {
			continue
		}
		info, err := os.Stat(filepath.Join(folder, e.Name()))
		if err != nil {
			return nil, err
		}
		infos = append(infos, info)
	}
	return infos, nil
}

// parseVersion takes what is written without sign and leading zeros.
func parseVersion(name string) (int64, bool) {
	v, err := strconv.ParseInt(name, 10, 64)
	return v, err == nil && v > 0 && strconv.FormatInt(v, 10) == name
}

// checkName keeps names that would change a URL's meaning out.
func checkName(model string) error {
	if model == "" || strings.ContainsAny(model, "/:?#%") {
		return fmt.Errorf("model name %q: must not be empty nor contain any of / : ? # %%", model)
	}
	return nil
}
