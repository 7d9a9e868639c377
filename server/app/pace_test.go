package app

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// gone is the response of a handler that has returned: net/http's own panics then.
type gone struct {
	http.ResponseWriter
	t *testing.T
}

func (g gone) SetReadDeadline(time.Time) error {
	g.t.Error("the stream is used after its handler")
	return nil
}

// A stop that comes while a handler returns touches its stream no more.
func TestAStopAfterTheHandler(t *testing.T) {
	w := &pacedWriter{stream: http.NewResponseController(gone{t: t})}
	w.close()
	w.hurry()
	assert.Zero(t, w.stall)
}
