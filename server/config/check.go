package config

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"slipway/server/names"
)

// checker compares a document with the type that it is decoded into, so that each error
// names the key, what is there and what is wanted. The decoder names Go's types, or
// nothing at all, and makes 1 of 1.5.
type checker struct{ errs []error }

// check returns the errors of a document. It takes out keys whose value is null: they keep
// their defaults.
func check(n ast.Node, t reflect.Type) error {
	c := &checker{}
	c.value("", n, t)
	const most = 8
	if more := len(c.errs) - most; more > 0 {
		c.errs = append(c.errs[:most], fmt.Errorf("and %d more errors", more))
	}
	return errors.Join(c.errs...)
}

func (c *checker) wrong(path string, n ast.Node, format string, args ...any) {
	at := n.GetToken().Position
	if path != "" {
		path += ": "
	}
	c.errs = append(c.errs, fmt.Errorf("[%d:%d] %s%s", at.Line, at.Column, path, fmt.Sprintf(format, args...)))
}

func (c *checker) value(path string, n ast.Node, t reflect.Type) {
	n = bare(n)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if read, own := reflect.TypeAssert[yaml.InterfaceUnmarshaler](reflect.New(t)); own {
		if err := yaml.NodeToValue(n, read); err != nil {
			c.wrong(path, n, "%s", err)
		}
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		c.section(path, n, t)
	case reflect.Map:
		c.named(path, n, t)
	case reflect.Slice:
		c.list(path, n, t)
	default:
		if want := wanted(n, t); want != "" {
			c.wrong(path, n, "got %s, want %s", got(n), want)
		}
	}
}

// section checks a map whose keys are the fields of a struct.
func (c *checker) section(path string, n ast.Node, t reflect.Type) {
	m, ok := n.(*ast.MappingNode)
	if !ok {
		c.wrong(path, n, "got %s, want the keys %s", kindOf(n), names.List("", keysOf(t)))
		return
	}
	m.Values = slices.DeleteFunc(m.Values, func(v *ast.MappingValueNode) bool {
		key := keyText(v.Key)
		field, known := fieldOf(t, key)
		switch {
		case !known:
			c.wrong(below(path, key), v.Key, "unknown key, want one of %s", names.List(key, keysOf(t)))
		case v.Value.Type() == ast.NullType:
			return true
		default:
			c.value(below(path, key), v.Value, field.Type)
		}
		return false
	})
}

// named checks a map whose keys are names.
func (c *checker) named(path string, n ast.Node, t reflect.Type) {
	m, ok := n.(*ast.MappingNode)
	if !ok {
		c.wrong(path, n, "got %s, want names with a value each", kindOf(n))
		return
	}
	for _, v := range m.Values {
		if v.Value.Type() != ast.NullType {
			c.value(below(path, keyText(v.Key)), v.Value, t.Elem())
		}
	}
}

func (c *checker) list(path string, n ast.Node, t reflect.Type) {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		c.wrong(path, n, "got %s, want a list", kindOf(n))
		return
	}
	for i, v := range s.Values {
		c.value(path+"["+strconv.Itoa(i)+"]", v, t.Elem())
	}
}

// wanted returns what a single value should be, or empty if n is that.
func wanted(n ast.Node, t reflect.Type) string {
	ok, want := false, ""
	switch {
	case t == reflect.TypeFor[time.Duration]():
		text, isText := n.(*ast.StringNode)
		if isText {
			_, err := time.ParseDuration(text.Value)
			ok = err == nil
		}
		want = "a duration such as 30s"
	case t.Kind() == reflect.Bool:
		_, ok = n.(*ast.BoolNode)
		want = "true or false"
	case t.Kind() == reflect.String:
		_, ok = n.(ast.ScalarNode)
		ok = ok && n.Type() != ast.NullType
		want = "a text"
	case reflect.Zero(t).CanFloat():
		x, err := strconv.ParseFloat(n.GetToken().Value, 64)
		ok = isNumber(n) && err == nil && !math.IsNaN(x) && !math.IsInf(x, 0)
		want = "a number"
	default:
		ok = isNumber(n) && isWhole(n, t)
		want = "a whole number"
	}
	if ok {
		return ""
	}
	return want
}

// isNumber reports whether a node is a number, or a text of one.
func isNumber(n ast.Node) bool {
	switch n.Type() {
	case ast.IntegerType, ast.FloatType, ast.StringType:
		return true
	}
	return false
}

// isWhole reports whether a number fits a whole type. Helm writes large ones as 6.7e+07.
func isWhole(n ast.Node, t reflect.Type) bool {
	text := n.GetToken().Value
	if x, err := strconv.ParseInt(text, 0, 64); err == nil {
		return !reflect.Zero(t).OverflowInt(x)
	}
	const exact = 1 << 53
	x, err := strconv.ParseFloat(text, 64)
	return err == nil && x == math.Trunc(x) && math.Abs(x) <= exact && !reflect.Zero(t).OverflowInt(int64(x))
}

// got shows a value; of a list or a map it has no contents.
func got(n ast.Node) string {
	text := n.GetToken().Value
	switch n.Type() {
	case ast.StringType:
		if _, err := strconv.ParseFloat(text, 64); err == nil && n.GetToken().Type == token.StringType {
			return cut(text) // 1e3
		}
		return strconv.Quote(cut(text))
	case ast.IntegerType, ast.FloatType, ast.BoolType, ast.NullType, ast.InfinityType, ast.NanType:
		return cut(text)
	}
	return kindOf(n)
}

// kindOf names the kind of a value, and nothing of what it has: it may be a secret that has
// the wrong place.
func kindOf(n ast.Node) string {
	switch n.Type() {
	case ast.MappingType:
		return "keys"
	case ast.SequenceType:
		return "a list"
	case ast.NullType:
		return "nothing"
	case ast.IntegerType, ast.FloatType, ast.InfinityType, ast.NanType:
		return "a number"
	case ast.BoolType:
		return "true or false"
	}
	return "a text"
}

// bare returns a node without its tag and anchor.
func bare(n ast.Node) ast.Node {
	for {
		switch wrapped := n.(type) {
		case *ast.TagNode:
			n = wrapped.Value
		case *ast.AnchorNode:
			n = wrapped.Value
		default:
			return n
		}
	}
}

func keyText(key ast.MapKeyNode) string {
	if explicit, is := key.(*ast.MappingKeyNode); is {
		return explicit.Value.GetToken().Value
	}
	return key.GetToken().Value
}

func below(path, key string) string {
	if path == "" {
		return cut(key)
	}
	return path + "." + cut(key)
}

// keysOf returns the keys of a struct, and fieldOf the field of one.
func keysOf(t reflect.Type) (keys []string) {
	for field := range t.Fields() {
		if key := field.Tag.Get("yaml"); key != "-" {
			keys = append(keys, key)
		}
	}
	return keys
}

func fieldOf(t reflect.Type, key string) (reflect.StructField, bool) {
	i := slices.IndexFunc(reflect.VisibleFields(t), func(f reflect.StructField) bool { return key != "-" && f.Tag.Get("yaml") == key })
	if i < 0 {
		return reflect.StructField{}, false
	}
	return t.Field(i), true
}

// cut returns the beginning of a long text.
func cut(text string) string {
	const longest = 40
	if len(text) <= longest {
		return text
	}
	return strings.ToValidUTF8(text[:longest], "") + "…"
}
