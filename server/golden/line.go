package golden

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Line is a line of the file.
type Line struct {
	Request, Response json.RawMessage
	Tolerance         Tolerance
	Recorded          Recorded
}

// ParseLine reads the keys of a line and leaves request and response as they are.
func ParseLine(line []byte) (Line, error) {
	keys, err := object(line, "request", "response", "tolerance", "recorded")
	if err != nil {
		return Line{}, fmt.Errorf("line%w", err)
	}
	for _, key := range []string{"request", "response"} {
		if keys[key] == nil {
			return Line{}, fmt.Errorf("missing key %q", key)
		}
	}
	l := Line{Request: keys["request"], Response: keys["response"], Tolerance: DefaultTolerance}
	if raw, ok := keys["tolerance"]; ok {
		if l.Tolerance, err = parseTolerance(raw); err != nil {
			return l, err
		}
	}
	if raw, ok := keys["recorded"]; ok {
		l.Recorded, err = parseRecorded(raw)
	}
	return l, err
}

// AppendLine writes a line and its end to dst. Both bodies must be JSON.
func AppendLine(dst, request, response []byte, t Tolerance, r Recorded) []byte {
	dst = appendCompact(append(dst, `{"request":`...), request)
	dst = appendCompact(append(dst, `,"response":`...), response)
	dst = fmt.Appendf(dst, ",\"tolerance\":{\"absolute\":%g,\"relative\":%g}", t.Absolute, t.Relative)
	if recorded, err := json.Marshal(r); err == nil && r != (Recorded{}) {
		dst = append(append(dst, ",\"recorded\":"...), recorded...)
	}
	return append(dst, "}\n"...)
}

func appendCompact(dst, body []byte) []byte {
	b := bytes.NewBuffer(dst)
	if err := json.Compact(b, body); err != nil {
		return append(dst, body...)
	}
	return b.Bytes()
}

// Lines returns the lines of a file; white space may follow the last one.
func Lines(file []byte) [][]byte {
	file = bytes.TrimRight(file, " \t\r\n")
	if len(file) == 0 {
		return nil
	}
	return bytes.Split(file, []byte("\n"))
}

// object reads a JSON object that has no other keys than those allowed. Its errors begin with
// the punctuation that follows the path of the object, and quote nothing of it: a message never
// carries a payload.
func object(raw []byte, allowed ...string) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, errors.New(": expected a JSON object")
	}
	keys := map[string]json.RawMessage{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf(": %w", syntax(err))
		}
		key, _ := token.(string) // the decoder lets nothing else pass
		if !slices.Contains(allowed, key) {
			return nil, fmt.Errorf(": unknown key, expected one of %q", allowed)
		}
		if _, again := keys[key]; again {
			return nil, fmt.Errorf(": duplicate key %q", key)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, fmt.Errorf(".%s: %w", key, syntax(err))
		}
		keys[key] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf(": %w", syntax(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New(": something follows the JSON object")
	}
	return keys, nil
}

// syntax rewords the error of a document that ends too early.
func syntax(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the JSON ends too early")
	}
	return err
}
