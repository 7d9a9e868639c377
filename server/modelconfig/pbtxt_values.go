package modelconfig

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// reader takes one field over.
type reader func(f *field) error

// repeated are the fields that may stand more than once in their message.
var repeated = []string{
	"input", "output", "instance_group", "model_warmup", "parameters", "inputs",
	"dims", "preferred_batch_size", "versions",
}

// read takes each field over by its name. One without a reader is refused.
func read(m message, readers map[string]reader) error {
	var all []error
	lines := map[string]int{}
	for i := range m {
		f := &m[i]
		take, known := readers[f.name]
		first, again := lines[f.name]
		switch {
		case !known:
			all = append(all, f.refuse())
		case again && !slices.Contains(repeated, f.name):
			all = append(all, f.problem("stands on line %d already", first))
		default:
			lines[f.name] = f.line
			all = append(all, take(f))
		}
	}
	return errors.Join(all...)
}

// within takes over the fields of a message.
func within(f *field, readers map[string]reader) error {
	if f.kind != messageKind {
		return f.problem("must be a message in braces")
	}
	return read(f.nested, readers)
}

// oneOf checks that the message has one of the fields and no two.
func (f *field) oneOf(names ...string) error {
	var there []string
	for _, n := range f.nested {
		if slices.Contains(names, n.name) && !slices.Contains(there, n.name) {
			there = append(there, n.name)
		}
	}
	switch len(there) {
	case 0:
		return f.problem("must have one of %s", strings.Join(names, ", "))
	case 1:
		return nil
	}
	return f.problem("%s exclude each other; keep one", strings.Join(there, " and "))
}

// onlyText lets none but the allowed texts pass.
func onlyText(why string, allowed ...string) reader { return only(textKind, why, allowed) }

// onlyWord lets none but the allowed constants pass.
func onlyWord(why string, allowed ...string) reader { return only(wordKind, why, allowed) }

func only(k kind, why string, allowed []string) reader {
	return func(f *field) error {
		if f.kind != k || !slices.Contains(allowed, f.text) {
			return f.problem("is %q and must be %s: %s", f.text, strings.Join(allowed, " or "), why)
		}
		return nil
	}
}

// onlyTrue is for fields that say something by being there.
func onlyTrue(into *bool) reader {
	return func(f *field) error {
		*into = true
		return onlyWord("otherwise remove it", "true")(f)
	}
}

func text(into *string) reader {
	return func(f *field) error {
		if f.kind != textKind {
			return f.problem("must be a text in quotation marks")
		}
		*into = f.text
		return nil
	}
}

func number(into *int) reader {
	return func(f *field) error {
		n, err := f.whole()
		if err == nil && (n < 0 || n > math.MaxInt32) {
			return f.problem("is %d, expected a number from 0 to %d", n, math.MaxInt32)
		}
		*into = int(n)
		return err
	}
}

func numbers[T int | int64](into *[]T) reader {
	return func(f *field) error {
		n, err := f.whole()
		*into = append(*into, T(n))
		return err
	}
}

func microseconds(into *time.Duration) reader {
	return func(f *field) error {
		n, err := f.whole()
		if err == nil && (n < 0 || n > math.MaxInt64/int64(time.Microsecond)) {
			return f.problem("is %d, which is no number of microseconds", n)
		}
		*into = time.Duration(n) * time.Microsecond
		return err
	}
}

// whole is the field's number, decimal, hexadecimal or octal as in C.
func (f *field) whole() (int64, error) {
	n, err := strconv.ParseInt(f.text, 0, 64)
	if err != nil || f.kind != wordKind || strings.ContainsAny(f.text, "_oObB") && !strings.HasPrefix(strings.TrimPrefix(f.text, "-"), "0x") {
		return 0, f.problem("got %q, expected a whole number", f.text)
	}
	return n, nil
}
