package number_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"slipway/server/codec/number"
)

// Float32 reads what Float32s leaves, so that no other test notices when Float32s reads nothing.
func TestFloat32sReadsTheCommonForm(t *testing.T) {
	list := "0.5,-1.25, 0.1234567,12.75,255,0.12345678901234567,"
	body := []byte(strings.Repeat(" ", 16) + strings.Repeat(list, 50) + "1]              ")
	into := make([]float32, 1000)
	n, end := number.Float32s(body, 16, into)
	assert.Equal(t, 300, n)
	assert.Equal(t, "1]", strings.TrimSpace(string(body[end:])))
	assert.Equal(t, []float32{0.5, -1.25, 0.1234567, 12.75, 255, 0.12345678901234567}, into[294:300])
	n, _ = number.Float32s(body, 16, into[:7])
	assert.Equal(t, 7, n, "no more than the capacity")
	n, _ = number.Float32s(body, 16+len(list), into)
	assert.Equal(t, 294, n, "from any later position")
	n, end = number.Float32s(body, 15, into)
	assert.Zero(t, n, "not where fewer than 16 bytes precede")
	assert.Equal(t, 15, end)
}
