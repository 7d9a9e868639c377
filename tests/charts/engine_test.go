package charts

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"k8s.io/apimachinery/pkg/runtime"
	kubejson "k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

// values are the values of a chart or of a section of one.
type values = map[string]any

var chartNames = []string{"model-server", "model-training"}

// load returns a chart of this repository, a new one each time: templates fill its values in.
func load(t *testing.T, name string) *chart.Chart {
	t.Helper()
	c, err := loader.LoadDir(filepath.Join(root, "charts", name))
	require.NoError(t, err)
	return c
}

// parentOf returns a chart that depends on charts of this repository, each under its alias.
func parentOf(t *testing.T, name string, aliases ...string) *chart.Chart {
	t.Helper()
	parent := &chart.Chart{Metadata: &chart.Metadata{APIVersion: "v2", Name: "parent", Version: "0.1.0"}, Values: values{}}
	for _, alias := range aliases {
		child := load(t, name)
		parent.Metadata.Dependencies = append(parent.Metadata.Dependencies,
			&chart.Dependency{Name: name, Version: child.Metadata.Version, Alias: alias})
		if len(parent.Dependencies()) == 0 {
			parent.AddDependency(child)
		}
	}
	return parent
}

// renderWith renders a chart as `helm template` of Helm 3 does, in the process. It returns the manifests by the template's path
// in its chart.
func renderWith(c *chart.Chart, v values, release chartutil.ReleaseOptions) (map[string]string, error) {
	if err := chartutil.ProcessDependenciesWithMerge(c, v); err != nil {
		return nil, err
	}
	capabilities := chartutil.DefaultCapabilities.Copy()
	capabilities.KubeVersion = chartutil.KubeVersion{Version: "v1.34.0", Major: "1", Minor: "34"}
	top, err := chartutil.ToRenderValues(c, v, release, capabilities)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(c, top)
	if err != nil {
		return nil, err
	}
	manifests := map[string]string{}
	for path, content := range files {
		if strings.TrimSpace(content) != "" {
			manifests[path] = content
		}
	}
	return manifests, nil
}

// defaultRelease is the release of a test that is about something else.
var defaultRelease = chartutil.ReleaseOptions{Name: "rel", Namespace: "models", Revision: 1, IsInstall: true}

// objects decodes manifests as the API server does: a number where the API has text is an error, and so is an unknown field.
func objects(manifests map[string]string) (all []values, err error) {
	decoder := kubejson.NewSerializerWithOptions(kubejson.DefaultMetaFactory, scheme.Scheme, scheme.Scheme, kubejson.SerializerOptions{Strict: true})
	for _, path := range slices.Sorted(maps.Keys(manifests)) {
		if !strings.HasSuffix(path, ".yaml") {
			continue
		}
		for document := range strings.SplitSeq("\n"+manifests[path], "\n---\n") {
			object := values{}
			content, err := yaml.YAMLToJSON([]byte(document + "\n"))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			if err := yaml.Unmarshal(content, &object); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			if len(object) == 0 {
				continue
			}
			if _, _, err := decoder.Decode(content, nil, nil); err != nil && !runtime.IsNotRegisteredError(err) {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			all = append(all, object)
		}
	}
	return all, nil
}

// readValues returns a values file.
func readValues(t *testing.T, file string) values {
	t.Helper()
	v, err := chartutil.ReadValuesFile(file)
	require.NoError(t, err)
	return v
}

// at returns values with one value at a path.
func at(path []string, value any) values {
	for _, key := range slices.Backward(path) {
		value = values{key: value}
	}
	return value.(values)
}

// over returns a copy of values with others over them, section by section; null is a value.
func over(base, top values) values {
	result := maps.Clone(base)
	for key, value := range top {
		lower, both := result[key].(values)
		if upper, ok := value.(values); ok && both {
			value = over(lower, upper)
		}
		result[key] = value
	}
	return result
}

// walk calls visit for each key of the values, sections before what is in them.
func walk(v values, visit func(path []string, value any)) { walkFrom(nil, v, visit) }

func walkFrom(path []string, v values, visit func(path []string, value any)) {
	for _, key := range slices.Sorted(maps.Keys(v)) {
		here := append(slices.Clone(path), key)
		visit(here, v[key])
		if section, ok := v[key].(values); ok {
			walkFrom(here, section, visit)
		}
	}
}
