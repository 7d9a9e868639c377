package charts

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chartutil"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation"
)

const longest = "train-customer-churn-weekly-retraining-for-region-eu1" // 53 characters, which Helm takes

// Each name and label is one that the API server takes, whatever the release and the alias are called.
func TestNamesAreValid(t *testing.T) {
	for _, chart := range chartNames {
		for _, release := range []string{"iris", "3d", "iris.v2", "0.9", "no", longest} {
			for _, alias := range []string{"", "irisModel", "iris_model", "_x", "X", "a-very-long-alias-of-a-dependency-which-has-more-than-63-characters"} {
				for _, object := range aliasRender(t, chart, release, alias) {
					name, labels := nameOf(object)
					assert.Empty(t, apivalidation.NameIsDNSLabel(name, false), "%s %s of the release %s, alias %q", object["kind"], name, release, alias)
					if object["kind"] == "Service" {
						assert.Empty(t, apivalidation.NameIsDNS1035Label(name, false), "Service %s", name)
					}
					for _, value := range labels {
						assert.Empty(t, validation.IsValidLabelValue(value.(string)), "%s %s", object["kind"], name)
					}
				}
			}
		}
	}
}

// Two releases, or two aliases in one, share neither a name nor a pod.
func TestNamesAreDistinct(t *testing.T) {
	for _, chart := range chartNames {
		for what, renders := range map[string][][]values{
			"long releases":               {aliasRender(t, chart, longest, ""), aliasRender(t, chart, longest[:52]+"2", "")},
			"a dot and a hyphen":          {aliasRender(t, chart, "iris.v2", ""), aliasRender(t, chart, "iris-v2", "")},
			"two aliases":                 {aliasRender(t, chart, longest, "model-first", "model-second")},
			"aliases of one spelling":     {aliasRender(t, chart, "shop", "irisModel", "irismodel", "iris_model", "iris-model")},
			"aliases in the release name": {aliasRender(t, chart, "iris-v2", "iris", "v2")},
			"an alias and none":           {aliasRender(t, chart, "v2-"+chart, "v2", "")},
		} {
			seen := map[string]bool{}
			for _, object := range slices.Concat(renders...) {
				name, _ := nameOf(object)
				key := object["kind"].(string) + " " + name
				assert.False(t, seen[key], "%s: %s twice", what, key)
				seen[key] = true
			}
			selectors := map[string]bool{}
			for _, object := range slices.Concat(renders...) {
				if object["kind"] == "NetworkPolicy" {
					selector := textsOf([]values{object["spec"].(values)["podSelector"].(values)})
					assert.False(t, selectors[selector], "%s: %s selects the pods of another", what, selector)
					selectors[selector] = true
				}
			}
		}
	}
}

// Kubernetes refuses another selector for an object that exists, so it depends on no value.
func TestSelectorsDependOnNoValue(t *testing.T) {
	for chart, v := range map[string]values{
		"model-server":   {},
		"model-training": {"workload": values{"kind": "StatefulSet"}},
	} {
		selector := func(more values) any {
			manifests, err := renderWith(load(t, chart), over(v, more), defaultRelease)
			require.NoError(t, err)
			all, err := objects(manifests)
			require.NoError(t, err)
			for _, object := range all {
				if object["kind"] == "Deployment" || object["kind"] == "StatefulSet" {
					return object["spec"].(values)["selector"]
				}
			}
			return nil
		}
		want := selector(values{})
		require.NotNil(t, want)
		for _, more := range []values{
			{"nameOverride": "flowers"}, {"fullnameOverride": "flowers"}, {"commonLabels": values{"a": "b"}}, {"podLabels": values{"a": "b"}}, {"image": values{"tag": "2"}},
		} {
			assert.Equal(t, want, selector(more), "%v", more)
		}
	}
}

// aliasRender renders a chart as a dependency under each alias; alone when the only alias is empty.
func aliasRender(t *testing.T, chart, release string, aliases ...string) []values {
	t.Helper()
	c := load(t, chart)
	if !slices.Equal(aliases, []string{""}) {
		c = parentOf(t, chart, aliases...)
	}
	manifests, err := renderWith(c, values{}, chartutil.ReleaseOptions{Name: release, Namespace: "models"})
	require.NoError(t, err)
	maps.DeleteFunc(manifests, func(path, _ string) bool { return strings.HasSuffix(path, "NOTES.txt") })
	all, err := objects(manifests)
	require.NoError(t, err)
	return all
}

func nameOf(object values) (name string, labels values) {
	meta := object["metadata"].(values)
	labels, _ = meta["labels"].(values)
	return meta["name"].(string), labels
}
