package charts

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chartutil"
	"sigs.k8s.io/yaml"
)

// Texts that YAML takes for something else when they stand without quotes.
var texts = []string{"2026", "no", "1e3", "0x1F", "", "a: b", "20260131"}

// A text of the values arrives as that text, or the schema or the chart refuses it by name.
func TestTextsStayTexts(t *testing.T) {
	eachValue(t, func(t *testing.T, chart string, path []string, value any) {
		if _, ok := value.(string); !ok {
			return
		}
		t.Parallel()
		for _, text := range texts {
			manifests, err := renderWith(load(t, chart), over(everything(t, chart), at(path, text)), defaultRelease)
			if err != nil {
				assert.Contains(t, strings.ReplaceAll(err.Error(), "/", "."), strings.Join(path[max(0, len(path)-2):], "."), "%q", text)
				continue
			}
			all, err := objects(manifests)
			require.NoError(t, err, "%q", text)
			if text == "20260131" && !elsewhere[strings.Join(path, ".")] {
				assert.Contains(t, textsOf(all), text)
			}
		}
	})
}

// These values reach no object as they are: rerun is in a hash, other values come before the others.
var elsewhere = map[string]bool{"nameOverride": true, "image.tag": true, "rerun": true, "replicaCount": true, "startupProbe.periodSeconds": true}

// A whole number of a values file is a float to Helm: 20260131 is 2.0260131e+07.
func TestWholeNumbersStayWhole(t *testing.T) {
	const number = "20260131"
	eachValue(t, func(t *testing.T, chart string, path []string, _ any) {
		if !slices.Contains(typesOf(t, chart, path), "integer") {
			return
		}
		t.Parallel()
		v, err := chartutil.ReadValues([]byte(fmt.Sprintf("{%s: %s%s", strings.Join(path, ": {"), number, strings.Repeat("}", len(path)))))
		require.NoError(t, err)
		floats := values{}
		content, err := json.Marshal(v)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(content, &floats))
		manifests, err := renderWith(load(t, chart), over(everything(t, chart), floats), defaultRelease)
		if err != nil {
			assert.Contains(t, strings.ReplaceAll(err.Error(), "/", "."), path[len(path)-1])
			return
		}
		all, err := objects(manifests)
		require.NoError(t, err)
		if !elsewhere[strings.Join(path, ".")] {
			assert.Contains(t, textsOf(all), number)
		}
		assert.NotContains(t, textsOf(all), "e+07")
	})
}

func TestNamesOfReleasesStayTexts(t *testing.T) {
	for _, chart := range chartNames {
		for _, release := range []chartutil.ReleaseOptions{
			{Name: "no", Namespace: "4711"}, {Name: "1e3", Namespace: "no"}, {Name: "0x1f", Namespace: "0x1f"}, {Name: "null", Namespace: "null"},
		} {
			manifests, err := renderWith(load(t, chart), everything(t, chart), release)
			require.NoError(t, err)
			_, err = objects(manifests)
			require.NoError(t, err, "%v", release)
		}
	}
}

// Keys that YAML takes for numbers, booleans or null are other keys, or none.
func TestKeysOfSecretsStayTexts(t *testing.T) {
	for chart, sections := range map[string][][]string{
		"model-server":   {{"auth", "keys"}, {"credentials", "env"}},
		"model-training": {{"credentials", "env"}},
	} {
		for _, section := range sections {
			for _, key := range []string{"0042", "on", "NO", "12e3", "1_000", "null", "true", "y", "0x1F"} {
				if section[0] == "credentials" && key[0] >= '0' && key[0] <= '9' {
					continue // no name of a variable
				}
				v := at(append(section, key), "secret")
				if chart == "model-server" && section[0] == "credentials" {
					v = over(v, values{"models": values{"fetch": values{"source": "s3://models"}}})
				}
				data := secretData(t, chart, v)
				assert.Contains(t, data, key)
				assert.Equal(t, "c2VjcmV0", data[key])
			}
		}
	}
}

// An empty entry without quotes is null, which an upgrade of Helm 3 deletes.
func TestEmptyEntriesOfSecretsAreTexts(t *testing.T) {
	fetch := values{"models": values{"fetch": values{"source": "s3://models"}}}
	for chart, v := range map[string]values{"model-server": fetch, "model-training": {}} {
		data := secretData(t, chart, over(v, at([]string{"credentials", "env", "EMPTY"}, "")))
		assert.IsType(t, "", data["EMPTY"], "null, or no entry")
		assert.Empty(t, data["EMPTY"])
	}
}

func secretData(t *testing.T, chart string, v values) values {
	t.Helper()
	manifests, err := renderWith(load(t, chart), v, defaultRelease)
	require.NoError(t, err)
	var secret values
	require.NoError(t, yaml.Unmarshal([]byte(manifests[chart+"/templates/secret.yaml"]), &secret))
	return secret["data"].(values)
}

// eachValue runs a test for each value of each chart that is no section.
func eachValue(t *testing.T, check func(t *testing.T, chart string, path []string, value any)) {
	t.Helper()
	for _, chart := range chartNames {
		walk(load(t, chart).Values, func(path []string, value any) {
			if _, section := value.(values); !section {
				t.Run(chart+"."+strings.Join(path, "."), func(t *testing.T) { check(t, chart, path, value) })
			}
		})
	}
}

// typesOf returns the types that the schema allows for a value.
func typesOf(t *testing.T, chart string, path []string) (types []string) {
	t.Helper()
	schema := readValues(t, filepath.Join(root, "charts", chart, "values.schema.json"))
	for _, key := range path {
		properties, _ := schema["properties"].(values)
		schema, _ = properties[key].(values)
	}
	list, _ := schema["type"].([]any)
	for _, one := range list {
		types = append(types, fmt.Sprint(one))
	}
	return types
}

// textsOf returns what is in the objects, as one text.
func textsOf(all []values) string {
	content, err := json.Marshal(all)
	if err != nil {
		return err.Error()
	}
	return string(content)
}
