package codec_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/server/tensor"
)

// mixed are texts in a long array: some are read many at a time, some one by one, and some are refused.
var mixed = []string{
	"0", "-0.0", "16777217", "9223372036854775808", "-0.25", " 0.5", "  0.5", "0.5 ", "\n0.5", "0.5,0.25", "0.5 ,0.25", "0.5, 0.25",
	"0.12345678901234567", "1.00000005960464477539062500", "340282346638528859811704183484516925440", "1E5", "1e39", "1e-46",
	"", " ", "-", "--1", "+1", "01", ".5", "5.", "1.2.3", "0.5x", "x0.5", "0.1-2", "NaN", "true", `"1"`, "0.12345678/", "0.\x005", "\x80.5",
}

func TestLongArrays(t *testing.T) {
	for _, text := range mixed {
		compareLongArrays(t, text)
	}
}

// compareLongArrays puts a text between many numbers and at the end of them, and compares with
// encoding/json: both refuse, or both give the same.
func compareLongArrays(t *testing.T, text string) {
	for _, around := range []string{"0.5", "-1.25", "3", "0.123456789012345"} {
		many := strings.Repeat(around+",", 20)
		for _, array := range []string{
			"[" + many + text + "," + many + around + "]",
			"[" + many + text + "]",
			"[" + many + strings.Repeat(text+",", 70) + around + "]",
		} {
			var want []float32
			wantErr := json.Unmarshal([]byte(array), &want)
			got, err := decodeOne(tensor.FP32, array)
			require.Equal(t, wantErr == nil, err == nil, "%q in %s: encoding/json %v, ours %v", text, array, wantErr, err)
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
