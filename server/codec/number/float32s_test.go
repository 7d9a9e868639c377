package number_test

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/server/codec/number"
)

// awkward are numbers, and texts that are none, that a reader of vectors of digits may get wrong.
var awkward = []string{
	"0", "-0", "-0.0", "0.00", "7", "255", "-128", "16777217", "9223372036854775807", "9223372036854775808", "18446744073709551616",
	"36893490000000000000", "0.1", "-0.25", " 0.5", "  0.5", "0.5 ", "\n0.5", "\t0.5", "0.5,0.25", "0.5 ,0.25", "0.5, 0.25", "12.5", "-123.456",
	"0.1234567", "0.12345678", "0.123456789", "0.1234567890123456", "0.12345678901234567", "0.000000000000000001", "0.00000000000000000000001",
	"1.00000005960464477539062500", "1.000000059604645", "1.0000000596046448", "1.0000000596046447", "16777217.0000000001", "16777216.9999999999", "1.00000017881393432617187499", "8388609.5", "16777216.5", "340282346638528859811704183484516925440",
	"0.1e1", "1E5", "1e39", "1e-46", "1.17549e-38",
	"", " ", "-", "--1", "+1", "01", "-01", "00.5", "01.5", ".5", "-.5", "5.", "0.", "-0.", "1.2.3", "1..2", "0.5x", "x0.5", "0.5-", "0.1-2", "0,5", "0x1", "1_0",
	"NaN", "Infinity", "true", `"1"`, "0./5", "0.:5", "/.5", ":.5", "0.5/", "0.12345678/", "0.\x005", "0.５", "\x80.5", "1.1234567\xb0",
}

func TestFloat32s(t *testing.T) {
	for _, text := range awkward {
		compareWithFloat32(t, text)
	}
}

// compareWithFloat32 puts a text among many numbers. Float32 must read the same values at the
// same positions as Float32s. Wherever Float32s stops, it starts again behind the next comma.
func compareWithFloat32(t *testing.T, text string) {
	const before = "................" // Float32s loads up to 16 bytes before a number
	for _, around := range []string{"0.5", "-1.25", "3", "0.123456789012345"} {
		many := strings.Repeat(around+",", 20)
		for _, list := range []string{
			many + text + "," + many + around + "]",
			many + text + "]",
			many + strings.Repeat(text+",", 70) + around + "]",
		} {
			for _, capacity := range []int{7, 100} {
				compareList(t, []byte(before+list), len(before), make([]float32, capacity))
			}
		}
	}
}

// compareList reads the numbers of a body from a position on, as many at a time as into holds.
func compareList(t *testing.T, body []byte, at int, into []float32) {
	for {
		n, end := number.Float32s(body, at, into)
		if n > len(into) {
			t.Fatalf("read %d numbers, expected %d at most", n, len(into))
		}
		for _, got := range into[:n] {
			at = compareNumber(t, body, at, got)
		}
		if at != end {
			t.Fatalf("got the position %d after %d numbers, expected %d in %q", end, n, at, body)
		}
		comma := bytes.IndexByte(body[at:], ',')
		if comma < 0 {
			return
		}
		if n < len(into) {
			at += comma + 1
		}
	}
}

// compareNumber checks that the number at a position is got and that a comma follows. It
// returns the position behind the comma.
func compareNumber(t *testing.T, body []byte, at int, got float32) (next int) {
	if body[at] == ' ' {
		at++
	}
	want, end, err := number.Float32(body, at)
	if err != nil || math.Float32bits(want) != math.Float32bits(got) {
		t.Fatalf("%q: Float32s read %v, Float32 %v (%v)", body[at:end+1], got, want, err)
	}
	if body[end] != ',' {
		t.Fatalf("Float32s read %q, which has no comma behind it", body[at:end+1])
	}
	return end + 1
}

// TestFloat32sNearMidpoints reads decimals beside the midpoint of two numbers, so near that the
// float64 between the decimal and the float32 may be on the other side of it.
func TestFloat32sNearMidpoints(t *testing.T) {
	body := []byte("................") // Float32s loads up to 16 bytes before a number
	for u := math.Float32bits(1); u < math.Float32bits(9); u += 1511 {
		midpoint := (float64(math.Float32frombits(u)) + float64(math.Float32frombits(u+1))) / 2
		digits := strconv.FormatFloat(midpoint, 'f', 16, 64)
		mantissa, err := strconv.ParseUint(digits[:1]+digits[2:], 10, 64)
		require.NoError(t, err)
		for offset := range uint64(21) {
			near := strconv.FormatUint(mantissa+offset-10, 10)
			body = append(append(append(append(body, near[:1]...), '.'), near[1:]...), ',')
		}
	}
	compareList(t, body, 16, make([]float32, 100))
}
