package number

import "strconv"

type integer interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64
}

// Integer reads a whole number that fits T. The number may be written with a fraction or
// an exponent, as 1.0 and 1e3 are.
func Integer[T integer](b []byte, at int) (v T, end int, err error) {
	minus := at < len(b) && b[at] == '-'
	first := at + int(bit(minus))
	magnitude, end := readDigits(b, first, 0)
	if !isSimple(b, first, end) {
		if magnitude, minus, end, err = readWholeNumber(b, at); err != nil {
			return 0, end, err
		}
	}
	v = T(magnitude)
	if minus {
		v = -v
	}
	// Converting back gives the magnitude only if no bit was cut off and the sign fits.
	back := uint64(v)
	if minus {
		back = -back
	}
	if back != magnitude || v != 0 && v < 0 != minus {
		return 0, end, ErrRange
	}
	return v, end, nil
}

// isSimple reports whether the digits b[first:end] are a whole number by the grammar of JSON
// that surely fits a uint64, and neither a fraction nor an exponent follows.
func isSimple(b []byte, first, end int) bool {
	n := end - first
	return n > 0 && n <= maxDigits && (n == 1 || b[first] != '0') && (end == len(b) || b[end] != '.' && b[end]|0x20 != 'e')
}

// readWholeNumber reads a whole number of any form: one of 20 digits, 1.0 or 1e3.
func readWholeNumber(b []byte, at int) (magnitude uint64, minus bool, end int, err error) {
	_, _, end, is := readDecimal(b, at)
	if is&malformed != 0 {
		return 0, false, at, ErrSyntax
	}
	digits, ok := wholeDigits(b[at:end])
	if !ok {
		return 0, false, end, ErrFraction
	}
	if magnitude, err = strconv.ParseUint(digits, 10, 64); err != nil {
		return 0, false, end, ErrRange
	}
	return magnitude, is&negative != 0, end, nil
}

// wholeDigits writes a number without its sign, fraction and exponent. It returns false
// when the number is not whole.
func wholeDigits(number []byte) (string, bool) {
	var digits []byte
	point := 0
	for i, c := range number {
		switch {
		case c-'0' <= 9:
			digits = append(digits, c)
		case c == '.':
			point = i
		case c|0x20 == 'e':
			exponent, _ := readExponent(number, i+1)
			return scaleDigits(digits, exponent-decimals(point, i))
		}
	}
	return scaleDigits(digits, -decimals(point, len(number)))
}

// decimals counts the digits between the point, if there is one, and end.
func decimals(point, end int) int {
	if point == 0 {
		return 0
	}
	return end - point - 1
}

// scaleDigits multiplies digits by 10^exponent. It returns false when the product is not whole.
func scaleDigits(digits []byte, exponent int) (string, bool) {
	for len(digits) > 1 && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
		exponent++
	}
	for len(digits) > 1 && digits[0] == '0' {
		digits = digits[1:]
	}
	if string(digits) == "0" {
		return "0", true
	}
	if exponent < 0 {
		return "", false
	}
	for range min(exponent, 2*maxDigits) { // more zeros overflow just the same
		digits = append(digits, '0')
	}
	return string(digits), true
}
