package codec

import (
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"slipway/server/tensor"
)

// appendElements writes the elements of t from lo to hi, with commas between them.
func appendElements(dst []byte, t *tensor.Tensor, lo, hi int) []byte {
	switch data := t.Data.(type) {
	case []bool:
		return list(dst, data[lo:hi], strconv.AppendBool)
	case []int8:
		return join(dst, data[lo:hi], putInteger[int8])
	case []int16:
		return join(dst, data[lo:hi], putInteger[int16])
	case []int32:
		return join(dst, data[lo:hi], putInteger[int32])
	case []int64:
		return join(dst, data[lo:hi], putInteger[int64])
	case []uint8:
		return join(dst, data[lo:hi], putInteger[uint8])
	case []uint16:
		return join(dst, data[lo:hi], putInteger[uint16])
	case []uint32:
		return join(dst, data[lo:hi], putInteger[uint32])
	case []uint64:
		return join(dst, data[lo:hi], putInteger[uint64])
	case []tensor.Float16:
		return join(dst, data[lo:hi], putHalf)
	case []tensor.BFloat16:
		return join(dst, data[lo:hi], putBrain)
	case []float32:
		return join(dst, data[lo:hi], putFloat32)
	case []float64:
		return list(dst, data[lo:hi], appendFloat64)
	case []string:
		return list(dst, data[lo:hi], appendString[string])
	}
	return dst
}

// list writes elements with commas between them, however long each is.
func list[T tensor.Element](dst []byte, data []T, one func([]byte, T) []byte) []byte {
	for i, v := range data {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = one(dst, v)
	}
	return dst
}

// room is what putting a number may use of the buffer: more than the number
// takes, since digits are put eight at a time.
const room = 40

// join is list for elements that fit the room: put returns the length of each.
func join[T tensor.Element](dst []byte, data []T, put func(*[room]byte, T) int) []byte {
	for i, v := range data {
		if cap(dst)-len(dst) < room+1 {
			const numbers, each = 4096, 12 // what room is made for at once, and about how much
			dst = slices.Grow(dst, room+1+each*min(len(data)-i, numbers))
		}
		n := len(dst)
		dst = dst[:cap(dst)]
		if i > 0 {
			dst[n] = ','
			n++
		}
		n += put((*[room]byte)(dst[n:]), v)
		dst = dst[:n]
	}
	return dst
}

// appendFloat64 writes the shortest number that reads back as v, in the format of encoding/json.
func appendFloat64(dst []byte, v float64) []byte {
	switch abs := math.Abs(v); {
	case v != v:
		return append(dst, `"NaN"`...)
	case v > math.MaxFloat64:
		return append(dst, `"Infinity"`...)
	case v < -math.MaxFloat64:
		return append(dst, `"-Infinity"`...)
	case abs == 0 || abs >= 1e-6 && abs < 1e21:
		return strconv.AppendFloat(dst, v, 'f', -1, 64)
	}
	dst = strconv.AppendFloat(dst, v, 'e', -1, 64)
	if n := len(dst); dst[n-2] == '0' && dst[n-3] == '-' { // e-09 → e-9
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst
}

// appendString writes s as encoding/json does, HTML left alone: what is not UTF-8 becomes U+FFFD.
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
