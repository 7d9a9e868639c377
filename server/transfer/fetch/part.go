package fetch

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
)

// part is a download that has begun, with the sum of what is there.
type part struct {
	*os.File
	sum  hash.Hash
	size int64
}

// openPart goes on with what is in the file.
func openPart(path string, limit int64) (*part, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	p := &part{File: f, sum: sha256.New()}
	if p.size, err = io.Copy(p.sum, f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if limit < 0 || p.size > limit {
		if err := p.restart(); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	return p, nil
}

// restart forgets what is there.
func (p *part) restart() error {
	p.size = 0
	p.sum.Reset()
	if err := p.Truncate(0); err != nil {
		return err
	}
	_, err := p.Seek(0, io.SeekStart)
	return err
}

func (p *part) Write(b []byte) (int, error) {
	n, err := p.File.Write(b)
	p.sum.Write(b[:n])
	p.size += int64(n)
	return n, err
}

// done is the sum, once all of it is on the disk.
func (p *part) done() (string, error) {
	if err := p.Sync(); err != nil {
		return "", err
	}
	return hex.EncodeToString(p.sum.Sum(nil)), nil
}

func sumOf(path string) (sum string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	h := sha256.New()
	size, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), size, errors.Join(err, f.Close())
}

// checkSum compares, with an error that says what to do.
func checkSum(what, got, want string) error {
	if want == "" || got == want {
		return nil
	}
	return permanent(fmt.Errorf("%s has sha256 %s, expected %s: it was changed or published half; nothing was laid", what, got, want))
}
