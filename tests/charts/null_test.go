package charts

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// everything returns values that turn each part of a chart on.
func everything(t *testing.T, chart string) values {
	t.Helper()
	return readValues(t, filepath.Join("testdata", "everything", chart+".yaml"))
}

// A value that is null, as one whose lines are all comments, means the default. Probes, contexts, resources and
// hyperparameters it turns off.
func TestNullIsTheDefaultOrOff(t *testing.T) {
	for _, name := range chartNames {
		off, base := offPaths(t, name), everything(t, name)
		byDefault, err := renderWith(load(t, name), base, defaultRelease)
		require.NoError(t, err)
		walk(load(t, name).Values, func(path []string, _ any) {
			t.Run(name+"."+strings.Join(path, "."), func(t *testing.T) {
				t.Parallel()
				null := over(base, at(path, nil))
				manifests, err := renderWith(load(t, name), null, defaultRelease)
				if !isOff(path, off) {
					want, wantErr := byDefault, error(nil)
					if _, given := get(base, path); given {
						want, wantErr = renderWith(load(t, name), without(base, path), defaultRelease)
					}
					require.Equal(t, wantErr, err)
					require.Equal(t, want, manifests)
				}
				if err == nil {
					_, err := objects(manifests)
					require.NoError(t, err)
				}
			})
		})
	}
}

func TestNullTurnsOff(t *testing.T) {
	for chart, keys := range map[string][]string{
		"model-server":   {"startupProbe", "readinessProbe", "livenessProbe", "podSecurityContext.runAsUser", "podSecurityContext.fsGroup"},
		"model-training": {"podSecurityContext.runAsUser", "podSecurityContext.fsGroup", "securityContext.readOnlyRootFilesystem"},
	} {
		for _, key := range keys {
			path := strings.Split(key, ".")
			manifests, err := renderWith(load(t, chart), at(path, nil), defaultRelease)
			require.NoError(t, err)
			for file, content := range manifests {
				assert.NotContains(t, content, path[len(path)-1]+":", "%s in %s", key, file)
			}
		}
	}
}

// Helm 4 has other rules for null. It drops one in a parent chart's values.yaml, which leaves the default.
func TestNullForEachHelm(t *testing.T) {
	for _, name := range chartNames {
		leaves, sections := values{}, values{}
		walk(load(t, name).Values, func(path []string, value any) {
			if section, ok := value.(values); !ok || len(section) == 0 {
				leaves = over(leaves, at(path, nil))
			} else if len(path) == 1 {
				sections = over(sections, at(path, nil))
			}
		})
		if name == "model-training" {
			leaves["hyperparameters"], sections["hyperparameters"] = values{"seed": 1}, values{"seed": 1} // the trainer needs some
		}
		for what, v := range map[string]values{"each value": leaves, "each section": sections} {
			for _, helm := range []string{"helm", "helm4"} {
				folder := parentFolder(t, name)
				alone, inParent := writeValues(t, v), writeValues(t, values{name: v})
				out := runHelm(t, helm, "template", "rel", filepath.Join(root, "charts", name), "--values", alone)
				all, err := objects(map[string]string{"all.yaml": out})
				require.NoError(t, err, "%s: %s of %s", helm, what, name)
				assert.NotRegexp(t, `Probe:|runAsUser`, out)
				childs, err := objects(map[string]string{"all.yaml": runHelm(t, helm, "template", "rel", folder, "--values", inParent)})
				require.NoError(t, err)
				assert.Equal(t, all, childs, "%s: %s of %s in a parent", helm, what, name)
				content, err := os.ReadFile(inParent)
				require.NoError(t, err)
				require.NoError(t, os.WriteFile(filepath.Join(folder, "values.yaml"), content, 0o600))
				_, err = objects(map[string]string{"all.yaml": runHelm(t, helm, "template", "rel", folder)})
				assert.NoError(t, err, "%s: %s of %s in the values.yaml of a parent", helm, what, name)
			}
		}
	}
}

// offPaths reads the list in the chart's _helpers.tpl.
func offPaths(t *testing.T, chart string) (paths []string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "charts", chart, "templates", "_helpers.tpl"))
	require.NoError(t, err)
	_, list, found := strings.Cut(string(content), `define "`+chart+`.off" -}}`)
	require.True(t, found)
	list, _, _ = strings.Cut(list, "{{")
	require.NoError(t, yaml.Unmarshal([]byte(list), &paths))
	return paths
}

func isOff(path, off []string) bool {
	return slices.ContainsFunc(off, func(one string) bool {
		return strings.HasPrefix(strings.Join(path, ".")+".", one+".")
	})
}

func get(v values, path []string) (value any, ok bool) {
	value, ok = v[path[0]]
	if section, is := value.(values); is && len(path) > 1 {
		return get(section, path[1:])
	}
	return value, ok && len(path) == 1
}

// without returns a copy of the values that lacks one.
func without(v values, path []string) values {
	result := maps.Clone(v)
	if len(path) == 1 {
		delete(result, path[0])
	} else if section, ok := v[path[0]].(values); ok {
		result[path[0]] = without(section, path[1:])
	}
	return result
}

// parentFolder returns the folder of a chart that depends on one of this repository.
func parentFolder(t *testing.T, name string) string {
	t.Helper()
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "Chart.yaml"), []byte("{apiVersion: v2, name: parent, version: 0.1.0}\n"), 0o600))
	require.NoError(t, os.CopyFS(filepath.Join(folder, "charts", name), os.DirFS(filepath.Join(root, "charts", name))))
	return folder
}

func writeValues(t *testing.T, v values) string {
	t.Helper()
	content, err := yaml.Marshal(v)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "values.yaml")
	require.NoError(t, os.WriteFile(file, content, 0o600))
	return file
}

// runHelm runs Helm 3 (helm) or Helm 4 (helm4) and returns what it prints.
func runHelm(t *testing.T, helm string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), filepath.Join(root, ".build/bin", helm), args...)
	var problem strings.Builder
	command.Stderr = &problem
	out, err := command.Output()
	require.NoError(t, err, "%s\n(without .build/bin/%s: run scripts/tools %s)", problem.String(), helm, helm)
	return string(out)
}
