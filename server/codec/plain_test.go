package codec_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/server/tensor"
)

// awkward are numbers, and what is none, that readers of many at a time get wrong.
var awkward = []string{
	"0", "-0", "-0.0", "0.00", "7", "255", "-128", "16777217", "9223372036854775807", "9223372036854775808", "18446744073709551616",
	"36893490000000000000", "0.1", "-0.25", " 0.5", "  0.5", "0.5 ", "\n0.5", "\t0.5", "0.5,0.25", "0.5 ,0.25", "0.5, 0.25", "12.5", "-123.456",
	"0.1234567", "0.12345678", "0.123456789", "0.1234567890123456", "0.12345678901234567", "0.000000000000000001", "0.00000000000000000000001",
	"1.00000005960464477539062500", "1.000000059604645", "1.0000000596046448", "1.0000000596046447", "16777217.0000000001", "16777216.9999999999", "1.00000017881393432617187499", "8388609.5", "16777216.5", "340282346638528859811704183484516925440",
	"0.1e1", "1E5", "1e39", "1e-46", "1.17549e-38",
	"", " ", "-", "--1", "+1", "01", "-01", "00.5", "01.5", ".5", "-.5", "5.", "0.", "-0.", "1.2.3", "1..2", "0.5x", "x0.5", "0.5-", "0.1-2", "0,5", "0x1", "1_0",
	"NaN", "Infinity", "true", `"1"`, "0./5", "0.:5", "/.5", ":.5", "0.5/", "0.12345678/", "0.\x005", "0.５", "\x80.5", "1.1234567\xb0",
}

func TestLongArrays(t *testing.T) {
	for _, text := range awkward {
		sameInLongArray(t, text)
	}
}

// sameInLongArray puts the text between many numbers and at the end of them: ours and
// encoding/json both refuse, or both give the same.
func sameInLongArray(t *testing.T, text string) {
	for _, around := range []string{"0.5", "-1.25", "3", "0.123456789012345"} {
		many := strings.Repeat(around+",", 20)
		for _, array := range []string{
			"[" + many + text + "," + many + around + "]",
			"[" + many + text + "]",
			"[" + many + strings.Repeat(text+",", 70) + around + "]",
		} {
			var want []float32
			plain := json.Unmarshal([]byte(array), &want)
			got, err := decodeOne(tensor.FP32, array)
			require.Equal(t, plain == nil, err == nil, "%q in %s: encoding/json %v, ours %v", text, array, plain, err)
			if err != nil {
				continue
			}
			require.Len(t, got, len(want), "%q", text)
			for i, v := range got.([]float32) {
				require.Equal(t, math.Float32bits(want[i]), math.Float32bits(v), "%q: number %d of %s", text, i, array)
			}
		}
	}
}
