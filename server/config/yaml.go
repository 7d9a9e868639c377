package config

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// What the parser takes for a document grows with the square of its depth and of
// the keys of one map, and of memory with 200 times its bytes.
const (
	maxBytes  = 64 << 10
	maxTokens = 20_000
	maxDepth  = 64
)

// DecodeYAML reads one YAML document over the values that into, a pointer to a struct,
// already has. An unknown or repeated key or a value of another type is an error that names
// the line and the key; no error quotes a line, which may have a secret. An empty document
// and a key without a value change nothing. A document that is
// large, deeply nested or has aliases, which multiply what it has, is refused before
// it is parsed.
func DecodeYAML(body []byte, into any) error {
	if len(body) > maxBytes {
		return fmt.Errorf("the document has %d bytes; the limit is %d", len(body), maxBytes)
	}
	tokens := lexer.Tokenize(string(body))
	if err := checkTokens(tokens); err != nil {
		return err
	}
	file, err := parser.Parse(tokens, 0)
	if err != nil {
		return wrong(err)
	}
	if len(file.Docs) > 1 {
		return errors.New("more than one YAML document; keep one")
	}
	if len(file.Docs) == 0 || isEmpty(file.Docs[0].Body) {
		return nil // decoding it would clear the defaults
	}
	root := bare(file.Docs[0].Body)
	if err := check(root, reflect.TypeOf(into).Elem()); err != nil {
		return err
	}
	if err := yaml.NodeToValue(root, into, yaml.Strict()); err != nil {
		return wrong(err)
	}
	return nil
}

// checkTokens bounds a document's tokens and the depth of its nesting.
func checkTokens(all token.Tokens) error {
	if len(all) > maxTokens {
		return fmt.Errorf("the document has %d YAML tokens; the limit is %d", len(all), maxTokens)
	}
	open, run := 0, 0 // flow sequences and maps; what nests in one line without a value
	for _, t := range all {
		switch t.Type {
		case token.AliasType:
			return fmt.Errorf("[%d:%d] an alias is not read; write what it stands for", t.Position.Line, t.Position.Column)
		case token.SequenceStartType, token.MappingStartType:
			open++
		case token.SequenceEndType, token.MappingEndType:
			open--
		case token.SequenceEntryType, token.MappingKeyType, token.TagType:
			run++
		default:
			run = 0
		}
		if open > maxDepth || run > maxDepth {
			return fmt.Errorf("[%d:%d] nested more than %d deep", t.Position.Line, t.Position.Column, maxDepth)
		}
	}
	return nil
}

// longWord matches the beginning of a word, and the rest of it.
var longWord = regexp.MustCompile(`(\S{40})\S+`)

// wrong returns the parser's error without the lines around its position and with
// the beginning of the words that it quotes.
func wrong(err error) error {
	const longest = 200
	text := longWord.ReplaceAllString(yaml.FormatError(err, false, false), "$1…")
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "…"
	}
	return errors.New(text)
}

// isEmpty reports whether a document is empty or has only comments.
func isEmpty(n ast.Node) bool {
	return n == nil || n.Type() == ast.NullType || n.Type() == ast.CommentType
}
