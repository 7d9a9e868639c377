package grpcapi

import "encoding/binary"

const (
	prefaceLength = 24 // of "PRI * HTTP/2.0…", which a client sends first
	headerLength  = 9  // of a frame

	frameData = 0
	endStream = 1 // the flag
)

// frames follows the frames of one direction of an HTTP/2 connection. It reads
// their headers only.
type frames struct {
	skip   int // bytes until the next header
	header [headerLength]byte
	have   int    // of the header
	stream uint32 // of the last frame
}

// scan takes the next bytes and calls data for each DATA frame that begins in them;
// last is that the stream ends with it.
func (f *frames) scan(p []byte, data func(stream uint32, length int, last bool)) {
	for len(p) > 0 {
		if f.skip > 0 {
			n := min(f.skip, len(p))
			f.skip -= n
			p = p[n:]
			continue
		}
		n := copy(f.header[f.have:], p)
		f.have += n
		p = p[n:]
		if f.have < headerLength {
			return
		}
		f.have = 0
		f.skip = int(f.header[0])<<16 | int(f.header[1])<<8 | int(f.header[2])
		f.stream = binary.BigEndian.Uint32(f.header[5:]) & (1<<31 - 1)
		if f.header[3] == frameData {
			data(f.stream, f.skip, f.header[4]&endStream != 0)
		}
	}
}
