// Command kube-schemas writes the JSON schemas that kubeconform wants, one for
// each kind, out of the OpenAPI document of the k8s.io/kubernetes module, since
// kubeconform would fetch them over the network.
//
// usage: kube-schemas SWAGGER.JSON FOLDER
package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
)

type object = map[string]any

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: kube-schemas SWAGGER.JSON FOLDER")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "kube-schemas:", err)
		os.Exit(1)
	}
}

func run(swagger, folder string) error {
	body, err := os.ReadFile(swagger)
	if err != nil {
		return err
	}
	var document struct{ Definitions map[string]object }
	if err := json.Unmarshal(body, &document); err != nil {
		return fmt.Errorf("read %s: %w", swagger, err)
	}
	for name, definition := range document.Definitions {
		tighten(name, definition)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, definition := range document.Definitions {
		for _, file := range files(definition) {
			needed := map[string]object{}
			collect(definition, document.Definitions, needed)
			schema := object{"$schema": "http://json-schema.org/draft-07/schema#", "definitions": needed}
			maps.Copy(schema, definition)
			text, err := json.Marshal(schema)
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(folder, file), text, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// files are the names under which kubeconform looks for a definition: empty for
// one that is no kind of its own.
func files(definition object) []string {
	kinds, _ := definition["x-kubernetes-group-version-kind"].([]any)
	var names []string
	for _, k := range kinds {
		kind := k.(object)
		name := kind["kind"].(string)
		if group := kind["group"].(string); group != "" {
			name += "-" + strings.SplitN(group, ".", 2)[0]
		}
		names = append(names, strings.ToLower(name+"-"+kind["version"].(string))+".json")
	}
	return names
}

// tighten makes a definition refuse what the API server would drop or not read.
func tighten(name string, definition object) {
	switch {
	case strings.HasSuffix(name, ".intstr.IntOrString"):
		replaceType(definition, "string", "integer")
	case strings.HasSuffix(name, ".resource.Quantity"):
		replaceType(definition, "string", "number")
	}
	if properties, ok := definition["properties"].(object); ok && definition["additionalProperties"] == nil {
		definition["additionalProperties"] = false
		for _, p := range properties {
			// The formats (int32, byte …) are Kubernetes' own.
			delete(p.(object), "format")
		}
	}
	// A kind without its name is an object of some other kind.
	if len(files(definition)) > 0 {
		required, _ := definition["required"].([]any)
		definition["required"] = append(required, "apiVersion", "kind")
	}
}

func replaceType(definition object, types ...string) {
	delete(definition, "format")
	definition["type"] = types
}

// collect finds every definition that a schema points at, itself or through others.
func collect(value any, all, found map[string]object) {
	switch v := value.(type) {
	case object:
		if ref, ok := v["$ref"].(string); ok {
			name := strings.TrimPrefix(ref, "#/definitions/")
			if _, seen := found[name]; !seen {
				found[name] = all[name]
				collect(all[name], all, found)
			}
		}
		for _, inner := range v {
			collect(inner, all, found)
		}
	case []any:
		for _, inner := range v {
			collect(inner, all, found)
		}
	}
}
