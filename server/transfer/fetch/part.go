package fetch

import (
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"os"

	"slipway/server/transfer"
)

// part is a file that is being downloaded, with the SHA-256 of what it has.
type part struct {
	*os.File
	sum  hash.Hash
	size int64
}

// openPart opens a part at its end, and makes it if an earlier run has not.
func openPart(folder *transfer.Folder, name string) (*part, error) {
	f, err := folder.Create(name, os.O_RDWR)
	if err != nil {
		return nil, err
	}
	p := &part{File: f, sum: sha256.New()}
	if p.size, err = io.Copy(p.sum, f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return p, nil
}

// restart drops what the part has.
func (p *part) restart() error {
	p.size = 0
	p.sum.Reset()
	_, err := p.Seek(0, io.SeekStart)
	return errors.Join(err, p.Truncate(0))
}

func (p *part) Write(b []byte) (int, error) {
	n, err := p.File.Write(b)
	p.sum.Write(b[:n])
	p.size += int64(n)
	return n, err
}
