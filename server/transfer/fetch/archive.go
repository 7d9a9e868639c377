package fetch

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
)

const tarBlock = 512 // bytes; a tar ends with two blocks of zeros

// archive reads the files of a tar, gzipped or not. Its end is reached only if the
// archive is whole: a tar has no sum of its own, so the end mark must be there, nothing
// but zeros may follow it, and gzip's sum and length, which come last, must be right.
type archive struct {
	*tar.Reader
	stream *counter
}

// counter counts what is read.
type counter struct {
	io.Reader
	bytes int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.bytes += int64(n)
	return n, err
}

func openArchive(r io.Reader) (*archive, error) {
	plain, err := gunzip(r)
	if err != nil {
		return nil, err
	}
	stream := &counter{Reader: plain}
	return &archive{tar.NewReader(stream), stream}, nil
}

// gunzip looks at the content: media types and suffixes are not always right.
func gunzip(r io.Reader) (io.Reader, error) {
	buffered := bufio.NewReaderSize(r, 1<<20)
	if start, _ := buffered.Peek(2); bytes.Equal(start, []byte{0x1f, 0x8b}) {
		return gzip.NewReader(buffered)
	}
	return buffered, nil
}

// next goes on to the next file. The error is io.EOF after the last one.
func (a *archive) next() (*tar.Header, error) {
	if _, err := io.Copy(io.Discard, a.Reader); err != nil { // the rest of the file before
		return nil, err
	}
	before := a.stream.bytes
	header, err := a.Next()
	if errors.Is(err, io.EOF) {
		return nil, a.end(a.stream.bytes - before)
	}
	if err == nil && isSparse(header) {
		err = fmt.Errorf("%s is a sparse file, whose size is not that of what the archive has; pack it without --sparse", header.Name)
	}
	return header, err
}

// end reads what follows the last file, of which the tar's reader has read some bytes:
// its padding, of less than a block, and the end mark.
func (a *archive) end(read int64) error {
	if read < 2*tarBlock {
		return errors.New("the archive has no end mark: it was cut; pack or publish it again")
	}
	buffer := make([]byte, 32<<10)
	for {
		n, err := a.stream.Read(buffer)
		if len(bytes.Trim(buffer[:n], "\x00")) > 0 {
			return errors.New("the archive has data after its end mark: it was damaged, or is two in one; pack or publish it again")
		}
		if err != nil {
			return err // io.EOF if all is right
		}
	}
}

// isSparse is true of both of GNU's forms.
func isSparse(h *tar.Header) bool {
	for name := range h.PAXRecords {
		if strings.HasPrefix(name, "GNU.sparse.") {
			return true
		}
	}
	return h.Typeflag == tar.TypeGNUSparse
}
