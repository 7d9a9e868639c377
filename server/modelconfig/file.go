package modelconfig

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Names of the file that configures a model: Slipway's and Triton's.
const (
	yamlFile  = "config.yaml"
	pbtxtFile = "config.pbtxt"
)

// IsFile reports whether a file of that name configures a model.
func IsFile(name string) bool { return name == yamlFile || name == pbtxtFile }

// Read reads the one configuration file of a model's folder, or returns the
// defaults if it has none.
func Read(folder, model string) (Config, error) {
	yamlPath, pbtxtPath := filepath.Join(folder, yamlFile), filepath.Join(folder, pbtxtFile)
	asYAML, yamlErr := os.ReadFile(yamlPath)
	asText, textErr := os.ReadFile(pbtxtPath)
	for _, err := range []error{yamlErr, textErr} {
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return Config{}, err
		}
	}
	switch {
	case yamlErr == nil && textErr == nil:
		return Config{}, fmt.Errorf("%s: has both %s and %s; keep one", folder, yamlFile, pbtxtFile)
	case yamlErr == nil:
		c, err := ParseYAML(asYAML)
		if err != nil {
			return Config{}, fmt.Errorf("read %s: %w", yamlPath, err)
		}
		return c, nil
	case textErr == nil:
		c, err := ParsePBTXT(asText, model)
		if err != nil {
			return Config{}, fmt.Errorf("read %s: %w", pbtxtPath, err)
		}
		return c, nil
	}
	return Default(), nil
}
