package httpapi_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"slipway/server/api"
	"slipway/server/telemetry"
)

// pumped returns head, parts and tail, together about that many bytes. A # of a part
// is its number.
func pumped(bytesOf int, head, part, tail string) string {
	var b strings.Builder
	b.WriteString(head)
	for i := 0; b.Len()+len(part)+len(tail) < bytesOf; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strings.ReplaceAll(part, "#", fmt.Sprintf("%06d", i)))
	}
	b.WriteString(tail)
	return b.String()
}

// However many parts a body has, it is answered in a time that grows with its length.
func FuzzManyParts(f *testing.F) {
	const x = `{"name":"x","shape":[1,1],"datatype":"FP32","data":[1]}`
	for _, seed := range [][3]string{
		{`{"instances":[`, `[1]`, `]}`},
		{`{"instances":[`, `{"x":1}`, `]}`},
		{`{"instances":[{`, `"#":1`, `}]}`},
		{`{"instances":[`, `{"#":1}`, `]}`},
		{`{"instances":[`, `[]`, `]}`},
		{`{"instances":[[`, `1`, `]]}`},
		{`{"instances":[[`, `""`, `]]}`},
		{`{"inputs":{`, `"#":1`, `}}`},
		{`{"inputs":{`, `"x":1`, `}}`},
		{`{`, `"#":1`, `}`},
		{`{"inputs":[`, x, `]}`},
		{`{"inputs":[`, `{"name":"#","shape":[1,1],"datatype":"FP32","data":[1]}`, `]}`},
		{`{"inputs":[` + x + `],"outputs":[`, `{"name":"#"}`, `]}`},
		{`{"inputs":[` + x + `],"outputs":[`, `{"name":"y"}`, `]}`},
		{`{"inputs":[` + x + `],"parameters":{`, `"#":1`, `}}`},
		{`{"inputs":[` + x + `],"outputs":[{"name":"y","parameters":{`, `"#":1`, `}}]}`},
		{`{"inputs":[{"name":"x","parameters":{`, `"#":1`, `},"shape":[1,1],"datatype":"FP32","data":[1]}]}`},
		{`{"inputs":[{"name":"x","datatype":"FP32","data":[1],"shape":[`, `1`, `]}]}`},
		{`{"inputs":[{"name":"x","datatype":"FP32","shape":[1,1],"data":[`, `[[1]]`, `]}]}`},
		{`{"inputs":[{"name":"x",`, `"#":1`, `}]}`},
		{`{"instances":[[1]],"signature_name":"`, `\ud83d\ude00`, `"}`},
		{strings.Repeat(`{"instances":[[[[[[`, 50), `[[[[[[[[`, ``},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	quiet := telemetry.NewLogger(io.Discard, slog.LevelInfo)
	server := start(f, everyRepository(f), func(o *api.Options) { o.Access, o.Log = quiet, quiet })
	f.Fuzz(func(t *testing.T, head, part, tail string) {
		if len(part) == 0 || len(head)+len(part)+len(tail) > 1000 {
			return
		}
		for _, path := range []string{"/predict/plus", "/v1/models/plus:predict", "/v2/models/plus/infer"} {
			took := func(bytesOf int) time.Duration {
				body, began := pumped(bytesOf, head, part, tail), time.Now()
				response := server.do(t, http.MethodPost, path, body)
				assert.NotEqual(t, http.StatusInternalServerError, response.status, "%.1000s", response.body)
				return time.Since(began)
			}
			const most = 512 << 10
			short := took(most / 8)
			// 8 times for what grows with the length, 64 for what grows with its square
			assert.Less(t, took(most), 32*short+time.Second, path)
		}
	})
}
