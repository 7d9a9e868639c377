package codec

import (
	"slices"
	"strconv"
	"unicode/utf8"

	"slipway/server/codec/number"
	"slipway/server/tensor"
)

// appendElements writes the elements of t from lo to hi, with commas between them.
func appendElements(dst []byte, t *tensor.Tensor, lo, hi int) []byte {
	switch data := t.Data.(type) {
	case []bool:
		return appendList(dst, data[lo:hi], strconv.AppendBool)
	case []int8:
		return appendNumbers(dst, data[lo:hi], number.PutInteger[int8])
	case []int16:
		return appendNumbers(dst, data[lo:hi], number.PutInteger[int16])
	case []int32:
		return appendNumbers(dst, data[lo:hi], number.PutInteger[int32])
	case []int64:
		return appendNumbers(dst, data[lo:hi], number.PutInteger[int64])
	case []uint8:
		return appendNumbers(dst, data[lo:hi], number.PutInteger[uint8])
	case []uint16:
		return appendNumbers(dst, data[lo:hi], number.PutInteger[uint16])
	case []uint32:
		return appendNumbers(dst, data[lo:hi], number.PutInteger[uint32])
	case []uint64:
		return appendNumbers(dst, data[lo:hi], number.PutInteger[uint64])
	case []tensor.Float16:
		return appendNumbers(dst, data[lo:hi], number.PutFloat16)
	case []tensor.BFloat16:
		return appendNumbers(dst, data[lo:hi], number.PutBFloat16)
	case []float32:
		return appendNumbers(dst, data[lo:hi], number.PutFloat32)
	case []float64:
		return appendNumbers(dst, data[lo:hi], number.PutFloat64)
	case []string:
		return appendList(dst, data[lo:hi], appendText)
	}
	return dst
}

// appendList writes elements of any length with commas between them.
func appendList[T tensor.Element](dst []byte, data []T, element func([]byte, T) []byte) []byte {
	for i, v := range data {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = element(dst, v)
	}
	return dst
}

// appendNumbers writes numbers with commas between them; put returns the length of each.
func appendNumbers[T tensor.Element](dst []byte, data []T, put func(*[number.Size]byte, T) int) []byte {
	const comma = 1
	for i, v := range data {
		if cap(dst)-len(dst) < comma+number.Size {
			const most, length = 4096, 12 // numbers that capacity is added for at once, and the length expected of each
			dst = slices.Grow(dst, comma+number.Size+length*min(len(data)-i, most))
		}
		n := len(dst)
		dst = dst[:cap(dst)]
		if i > 0 {
			dst[n] = ','
			n++
		}
		n += put((*[number.Size]byte)(dst[n:]), v)
		dst = dst[:n]
	}
	return dst
}

// appendString writes s as encoding/json does without escaping HTML. Bytes that are not UTF-8, which names do not have, become U+FFFD.
func appendString[T string | []byte](dst []byte, s T) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
			switch {
			case r == utf8.RuneError && n == 1:
				dst = append(append(dst, s[from:i]...), `\ufffd`...)
				from = i + n
			case r == '\u2028' || r == '\u2029':
				dst = append(append(dst, s[from:i]...), `\u202`...)
				dst = append(dst, hex[r&0xf])
				from = i + n
			}
			i += n
			continue
		}
		dst = append(dst, s[from:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, `\b`...)
		case '\f':
			dst = append(dst, `\f`...)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			dst = append(dst, `\u00`...)
			dst = append(dst, hex[c>>4], hex[c&0xf])
		}
		i++
		from = i
	}
	return append(append(dst, s[from:]...), '"')
}
