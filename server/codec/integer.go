package codec

import "slipway/server/tensor"

type integer interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64
}

// integral reads a whole number that fits T.
func integral[T integer](s *scanner) (T, error) {
	start := s.pos
	mant, neg, ok := s.plain()
	if !ok {
		var err error
		if mant, neg, err = s.integer(tensor.DTypeOf[T]()); err != nil {
			return 0, err
		}
	}
	v := T(mant)
	if neg {
		v = -v
	}
	// The way back is only the same when nothing was cut off and the sign is right.
	back := uint64(v)
	if neg {
		back = -back
	}
	if back != mant || v != 0 && v < 0 != neg {
		return 0, outOfRange(s.buf[start:s.pos], tensor.DTypeOf[T]())
	}
	return v, nil
}

// plain reads a number that is nothing but a sign and at most 19 digits. If there
// is another one, it reads nothing.
func (s *scanner) plain() (mant uint64, neg, ok bool) {
	b, i := s.buf, s.pos
	if i >= len(b) {
		return 0, false, false
	}
	neg = b[i] == '-'
	i += int(b2u(neg))
	first := i
	mant, i = digits(b, i, 0)
	n := i - first
	if n == 0 || n > maxDigits || n > 1 && b[first] == '0' || i < len(b) && (b[i] == '.' || b[i]|0x20 == 'e') {
		return 0, false, false
	}
	s.pos = i
	return mant, neg, true
}

// integer reads what plain does not: 20 digits, and whole numbers written as 1.0 or 1e3.
func (s *scanner) integer(d tensor.DType) (mant uint64, neg bool, err error) {
	start := s.pos
	_, _, is := s.decimal()
	if is&bad != 0 {
		return 0, false, s.notNumber("a whole number (" + d.String() + ")")
	}
	token := s.buf[start:s.pos]
	mant, fits, isWhole := uintOf(token)
	switch {
	case !isWhole:
		return 0, false, problemf("got %s, expected a whole number (%s)", clip(token), d)
	case !fits:
		return 0, false, outOfRange(token, d)
	}
	return mant, is&negative != 0, nil
}

func outOfRange(token []byte, d tensor.DType) error {
	return problemf("%s does not fit %s", clip(token), d)
}

// boolean reads true or false.
func boolean(s *scanner) (bool, error) {
	switch {
	case s.word("true"):
		return true, nil
	case s.word("false"):
		return false, nil
	}
	return false, s.want("true or false (BOOL)")
}
