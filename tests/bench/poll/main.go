// Poll is a closed loop of callers that never sleep: it looks at its connections
// in turn. A client that sleeps has the server pay for waking it with each
// answer, but only where the server is slow enough for it to fall asleep; between
// a handler that does nothing and one that does something that is no comparison.
//
//	poll ADDRESS PATH FILE-WITH-THE-BODY CONNECTIONS WARM-UP DURATION
//
// It prints responses a second and the percentiles of their time as JSON. An
// answer other than 200 ends it.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

type result struct {
	Throughput float64 `json:"throughput"`
	P50        float64 `json:"p50"` // seconds
	P99        float64 `json:"p99"`
}

func main() {
	r, err := poll(os.Args[1:])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(r)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "poll:", err)
		os.Exit(1)
	}
}

func poll(args []string) (result, error) {
	if len(args) != 6 {
		return result{}, errors.New("usage: poll ADDRESS PATH FILE CONNECTIONS WARM-UP DURATION")
	}
	body, err := os.ReadFile(args[2])
	if err != nil {
		return result{}, err
	}
	request := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: poll\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", args[1], len(body), body)
	n, err := strconv.Atoi(args[3])
	warmUp, err2 := time.ParseDuration(args[4])
	duration, err3 := time.ParseDuration(args[5])
	if err := errors.Join(err, err2, err3); err != nil {
		return result{}, err
	}
	callers := make([]*caller, n)
	for i := range callers {
		if callers[i], err = dial(args[0]); err != nil {
			return result{}, err
		}
	}
	start := time.Now().Add(warmUp)
	all, err := turn(callers, request, start, start.Add(duration))
	if err != nil || len(all) == 0 {
		return result{}, errors.Join(err, errors.New("no response"))
	}
	slices.Sort(all)
	return result{
		Throughput: float64(len(all)) / duration.Seconds(),
		P50:        all[len(all)/2].Seconds(), P99: all[len(all)*99/100].Seconds(),
	}, nil
}

// caller is one connection with what has been received of the response.
type caller struct {
	fd       int
	sent     time.Time
	response [64 << 10]byte
	have     int
}

func dial(address string) (*caller, error) {
	to, err := net.ResolveTCPAddr("tcp4", address)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: to.Port, Addr: [4]byte(to.IP.To4())}); err != nil {
		return nil, fmt.Errorf("connect to %s: %w", address, err)
	}
	return &caller{fd: fd}, errors.Join(unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1), unix.SetNonblock(fd, true))
}

// turn goes round the callers until end, and returns the times of the responses
// whose requests were sent after start.
func turn(callers []*caller, request []byte, start, end time.Time) (all []time.Duration, err error) {
	for _, c := range callers {
		if err := c.send(request, time.Now()); err != nil {
			return nil, err
		}
	}
	for {
		for _, c := range callers {
			whole, err := c.read()
			if err != nil {
				return nil, err
			}
			if !whole {
				continue
			}
			now := time.Now()
			if now.After(end) {
				return all, nil
			}
			if c.sent.After(start) {
				all = append(all, now.Sub(c.sent))
			}
			if err := c.send(request, now); err != nil {
				return nil, err
			}
		}
	}
}

func (c *caller) send(request []byte, now time.Time) error {
	c.have, c.sent = 0, now
	n, err := unix.Write(c.fd, request)
	if err == nil && n < len(request) {
		err = errors.New("the request was not sent in one write")
	}
	return err
}

// read takes what is there and reports whether the response is whole.
func (c *caller) read() (whole bool, err error) {
	n, err := unix.Read(c.fd, c.response[c.have:])
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		return false, nil
	case err != nil:
		return false, err
	case n == 0:
		return false, errors.New("the server closed the connection")
	}
	c.have += n
	head, rest, found := bytes.Cut(c.response[:c.have], []byte("\r\n\r\n"))
	if !found {
		return false, nil
	}
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 200 ")) {
		return false, fmt.Errorf("got %s", c.response[:c.have])
	}
	_, after, _ := bytes.Cut(head, []byte("Content-Length: "))
	digits, _, _ := bytes.Cut(after, []byte("\r\n"))
	length, err := strconv.Atoi(string(digits))
	if err != nil {
		return false, fmt.Errorf("read the length of the response: %w", err)
	}
	return len(rest) >= length, nil
}
