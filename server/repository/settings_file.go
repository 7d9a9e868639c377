package repository

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// readSettings reads the one settings file of a model's folder, if it has one.
func readSettings(folder, model string) (Settings, error) {
	yamlPath, pbtxtPath := filepath.Join(folder, yamlFile), filepath.Join(folder, pbtxtFile)
	asYAML, yamlErr := os.ReadFile(yamlPath)
	asText, textErr := os.ReadFile(pbtxtPath)
	for _, err := range []error{yamlErr, textErr} {
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return Settings{}, err
		}
	}
	switch {
	case yamlErr == nil && textErr == nil:
		return Settings{}, fmt.Errorf("%s: has both %s and %s; keep one", folder, yamlFile, pbtxtFile)
	case yamlErr == nil:
		s, err := ParseYAML(asYAML)
		if err != nil {
			return Settings{}, fmt.Errorf("read %s: %w", yamlPath, err)
		}
		return s, nil
	case textErr == nil:
		s, err := ParsePBTXT(asText, model)
		if err != nil {
			return Settings{}, fmt.Errorf("read %s: %w", pbtxtPath, err)
		}
		return s, nil
	}
	return Default(), nil
}
