package config

import (
	"errors"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// DecodeYAML reads one YAML document over the values that into already has. An
// unknown or repeated key is an error that names the line. An empty document
// changes nothing.
func DecodeYAML(body []byte, into any) error {
	file, err := parser.ParseBytes(body, 0)
	if err != nil {
		return errors.New(yaml.FormatError(err, false, true))
	}
	if len(file.Docs) > 1 {
		return errors.New("more than one YAML document; keep one")
	}
	if len(file.Docs) == 0 || isEmpty(file.Docs[0].Body) {
		return nil // decoding it would clear the defaults
	}
	if err := yaml.NodeToValue(file.Docs[0].Body, into, yaml.Strict()); err != nil {
		return errors.New(yaml.FormatError(err, false, true))
	}
	return nil
}

// isEmpty reports whether a document is empty or has only comments.
func isEmpty(n ast.Node) bool {
	return n == nil || n.Type() == ast.NullType || n.Type() == ast.CommentType
}
