package codec

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What plain32 leaves is read all the same, so no other test tells whether it reads anything.
func TestPlain32ReadsWhatIsPlain(t *testing.T) {
	numbers := "0.5,-1.25, 0.1234567,12.75,255,0.12345678901234567,"
	body := []byte(strings.Repeat(" ", 16) + strings.Repeat(numbers, 50) + "1]              ")
	into := make([]float32, 1000)
	n, end := plain32(body, 16, into)
	assert.Equal(t, 300, n)
	assert.Equal(t, "1]", strings.TrimSpace(string(body[end:])))
	assert.Equal(t, []float32{0.5, -1.25, 0.1234567, 12.75, 255, 0.12345678901234567}, into[294:300])
	n, _ = plain32(body, 16, into[:7])
	assert.Equal(t, 7, n, "no more than there is room for")
}
