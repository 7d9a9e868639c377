package codec

import (
	"encoding/base64"
	"unicode/utf8"

	"slipway/server/tensor"
)

// base64Key is the one key of an object that stands for bytes, as in the protocols of TensorFlow
// Serving and KServe: {"b64": "/9j/"}. JSON has no other form for bytes that are not UTF-8.
const base64Key = "b64"

// parseBytes reads an element of BYTES, a string or bytes in base64.
func parseBytes(body []byte, from int) (v string, end int, err error) {
	s := scanner{buf: body, pos: from}
	if s.next() == '{' {
		v, err = s.base64()
	} else {
		v, err = str(&s)
	}
	return v, s.pos, err
}

func (s *scanner) base64() (v string, err error) {
	has := false
	err = s.object(func(key []byte) error {
		switch {
		case string(key) != base64Key:
			return problemf(`got an object with the key %s, expected a string or {"b64": "…"}`, clip(key))
		case has:
			return problemf("duplicate key %q", base64Key)
		}
		has = true
		text, err := s.text()
		if err != nil {
			return in("."+base64Key, err)
		}
		decoded := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
		n, err := base64.StdEncoding.Decode(decoded, text)
		if err != nil {
			return in("."+base64Key, problemf("got %s, which is not base64", clip(text)))
		}
		v = string(decoded[:n])
		return nil
	})
	if err == nil && !has {
		return "", problemf(`got an empty object, expected a string or {"b64": "…"}`)
	}
	return v, err
}

// base64Next looks ahead whether an object comes next that is bytes for the only input of the
// model. An input may itself be called b64: then the object names it.
func (d *decoder) base64Next(ahead scanner) bool {
	only := d.only()
	return only >= 0 && d.specs[only].DType == tensor.Bytes && d.find([]byte(base64Key)) < 0 && ahead.isBase64()
}

// isBase64 looks ahead whether an object comes next whose first key is that of bytes.
func (s scanner) isBase64() bool {
	if s.next() != '{' {
		return false
	}
	s.pos++
	if s.next() != '"' {
		return false
	}
	key, err := s.text()
	return err == nil && string(key) == base64Key
}

// base64InArray looks ahead whether base64Next holds for the first element of an array.
func (d *decoder) base64InArray() bool {
	ahead := d.scanner
	if ahead.next() != '[' {
		return false
	}
	ahead.pos++
	return d.base64Next(ahead)
}

// appendText writes an element of BYTES: a string, or base64 if it is not UTF-8.
func appendText(dst []byte, s string) []byte {
	if utf8.ValidString(s) {
		return appendString(dst, s)
	}
	dst = append(dst, `{"`+base64Key+`":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, []byte(s))
	return append(dst, `"}`...)
}
