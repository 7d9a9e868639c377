package grpcapi_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"slipway/server/grpcapi"
)

// sent is a preface, then frames of several kinds.
func sent(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	b.WriteString(http2.ClientPreface)
	f := http2.NewFramer(&b, nil)
	require.NoError(t, f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1}))
	require.NoError(t, f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte("not read"), EndHeaders: true}))
	require.NoError(t, f.WriteData(1, false, make([]byte, 300)))
	require.NoError(t, f.WriteWindowUpdate(0, 5))
	require.NoError(t, f.WriteDataPadded(3, true, []byte("ab"), make([]byte, 7)))
	require.NoError(t, f.WriteData(1<<31-1, true, nil))
	return b.Bytes()
}

// Frames are found however the bytes come.
func TestFrames(t *testing.T) {
	all := sent(t)
	for _, size := range []int{1, 2, 3, 8, 9, 10, 33, len(all)} {
		var parts [][]byte
		for rest := all; len(rest) > 0; rest = rest[min(size, len(rest)):] {
			parts = append(parts, rest[:min(size, len(rest))])
		}
		streams, lengths := grpcapi.Scan(parts...)
		assert.Equal(t, []uint32{1, 3, 1<<31 - 1}, streams, size)
		assert.Equal(t, []int{300, 10, 0}, lengths, size)
	}
}

// FuzzFrames compares with what the HTTP/2 library reads.
func FuzzFrames(f *testing.F) {
	f.Add(sent(f), 5)
	f.Fuzz(func(t *testing.T, all []byte, cut int) {
		if len(all) < len(http2.ClientPreface) {
			return
		}
		cut = max(0, min(cut, len(all)))
		streams, lengths := grpcapi.Scan(all[:cut], all[cut:])
		r := http2.NewFramer(nil, bytes.NewReader(all[len(http2.ClientPreface):]))
		r.SetMaxReadFrameSize(1<<24 - 1)
		r.AllowIllegalReads = true
		for i := 0; ; {
			h, err := r.ReadFrameHeader()
			if err != nil {
				return
			}
			if h.Type == http2.FrameData {
				require.Greater(t, len(streams), i)
				assert.Equal(t, h.StreamID, streams[i])
				assert.Equal(t, int(h.Length), lengths[i])
				i++
			}
			if _, err := r.ReadFrameForHeader(h); err != nil {
				return
			}
		}
	})
}
