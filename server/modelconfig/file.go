package modelconfig

import (
	"fmt"
	"path/filepath"

	"slipway/server/bundle"
)

// Names of the file that configures a model: Slipway's and Triton's.
const (
	yamlFile  = "config.yaml"
	pbtxtFile = "config.pbtxt"
)

// maxFileBytes bounds a configuration file: a model of a thousand inputs declares
// them in less than half of it.
const maxFileBytes = 256 << 10

// IsFile reports whether a file of that name configures a model.
func IsFile(name string) bool { return name == yamlFile || name == pbtxtFile }

// Read reads the one configuration file of a model's folder, which is below f, or
// returns the defaults if it has none.
func Read(f *bundle.Folder, folder, model string) (Config, error) {
	yamlPath, pbtxtPath := filepath.Join(folder, yamlFile), filepath.Join(folder, pbtxtFile)
	switch asYAML, asText := f.Has(yamlPath), f.Has(pbtxtPath); {
	case asYAML && asText:
		return Config{}, fmt.Errorf("%s: has both %s and %s; keep one", f.Path(folder), yamlFile, pbtxtFile)
	case asYAML:
		return read(f, yamlPath, ParseYAML)
	case asText:
		return read(f, pbtxtPath, func(text []byte) (Config, error) { return ParsePBTXT(text, model) })
	}
	return Default(), nil
}

func read(f *bundle.Folder, name string, parse func([]byte) (Config, error)) (Config, error) {
	text, err := f.ReadFile(name, maxFileBytes)
	if err != nil {
		return Config{}, err
	}
	c, err := parse(text)
	if err != nil {
		return Config{}, fmt.Errorf("read %s: %w", f.Path(name), err)
	}
	return c, nil
}
