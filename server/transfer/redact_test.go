package transfer_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/transfer"
)

func TestRedact(t *testing.T) {
	t.Parallel()
	for text, expected := range map[string]string{
		"https://u:secret@host/a.onnx?sig=secret#secret": "https://host/a.onnx",
		"https://secret@host/a.onnx":                     "https://host/a.onnx",
		"s3://bucket/prefix?key=secret":                  "s3://bucket/prefix",
		"oci://host:5000/iris:1":                         "oci://host:5000/iris:1",
		"oci://host/iris@sha256:00":                      "oci://host/iris@sha256:00",
		"oci://host:5000/iris:1@sha256:00":               "oci://host:5000/iris:1@sha256:00",
		"oci://u:secret@host/iris:1":                     "oci://host/iris:1",
		"https://host/models@1/a.onnx":                   "https://host/models@1/a.onnx",
		"https://u:secret@host/%zz?token=secret":         "https://…",
		"https://u:sec/ret@host/a.onnx":                  "https://…",
		"https://u:1/secret@host/a.onnx":                 "https://…",
		"https://u:se%cret@host/a.onnx":                  "https://…",
		"https://host/a.onnx;token=secret":               "https://host/a.onnx;token=…",
		"u:secret@host://a":                              "…",
		"https:/u:secret@host/a.onnx":                    "…",
		"host/a.onnx?token=secret":                       "host/a.onnx",
		"/mnt/models":                                    "/mnt/models",
		"/mnt/models@1":                                  "/mnt/models@1",
	} {
		assert.Equal(t, expected, transfer.Redact(text), text)
		assert.Equal(t, expected, transfer.Redact(expected), "redacted twice")
	}
}

func TestRedactorText(t *testing.T) {
	t.Parallel()
	r := transfer.NewRedactor("https://ann:pass%20word@host/a.onnx?sig=abcd%2Fef&v=1", "Bearer a-token")
	for text, expected := range map[string]string{
		"stat a.onnx: no such file":                                    "stat a.onnx: no such file",
		`Get "https://b/x?X-Amz-Signature=0f&X-Amz-Date=1": EOF`:       `Get "https://b/x": EOF`,
		"Location: /x?X-Amz-Signature=0f&X-Amz-Security-Token=1 given": "Location: /x?X-Amz-Signature=…&X-Amz-Security-Token=… given",
		"fetch https://127.0.0.1:80/a.onnx: 404":                       "fetch https://127.0.0.1:80/a.onnx: 404",
		"dial oci://u:pw@host/x:1.":                                    "dial oci://host/x:1.",
		"you sent abcd/ef and abcd%2Fef and pass word":                 "you sent … and … and …",
		"you sent Bearer a-token":                                      "you sent …",
		"Authorization: Bearer 0123456789abcdef01234567":               "Authorization: Bearer …",
		"no\x1b]0;title\x07 \x9b2J\u009b\u202e\r\nnext":                `no\x1b]0;title\a \x9b2J\u009b\u202e ; next`,
		strings.Repeat("x", 5000):                                      strings.Repeat("x", 4097) + "…",
	} {
		assert.Equal(t, expected, r.Text(text), text)
	}
	err := r.Error(fmt.Errorf("read abcd/ef: %w", io.ErrUnexpectedEOF))
	require.EqualError(t, err, "read …: unexpected EOF")
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.NoError(t, r.Error(nil))
}

// TestRedactorLogger has a log that writes what it is given as it is.
func TestRedactorLogger(t *testing.T) {
	t.Parallel()
	var lines bytes.Buffer
	log := transfer.NewRedactor("https://u:secret@host").Logger(slog.New(slog.NewJSONHandler(&lines, nil)))
	log.With("a", "secret").WithGroup("g").Info("secret", "b", "\u009bsecret", "c", errors.New("secret"), "d", 7)
	assert.NotContains(t, lines.String(), "secret")
	assert.NotContains(t, lines.String(), "\u009b")
	assert.Contains(t, lines.String(), `"d":7`)
}

// FuzzSecrets writes a password into the places of a location that have one. It is in
// nothing that is printed, whether the location can be parsed or not.
func FuzzSecrets(f *testing.F) {
	const password = "hunter2-Zq/9%+"
	f.Add("https", "ann", "host/a.onnx")
	f.Add("oci", "ann", "host:5000/iris:1@sha256:00")
	f.Add("https", "a/b", "host/%zz@x")
	f.Add("ftp", "", "")
	f.Add("a://b", "c@d", "[::1")
	f.Add("https", "ann", "host:port/\x00?x=@y#z")
	f.Fuzz(func(t *testing.T, scheme, user, rest string) {
		isDigest := strings.EqualFold(scheme, "oci") && strings.HasPrefix(rest, "sha")
		if strings.Contains(user, ":") || isDigest { // then the password is another, or none
			return
		}
		for _, secret := range []string{password, url.QueryEscape(password), "12/hunter2"} {
			for _, location := range []string{
				scheme + "://" + user + ":" + secret + "@" + rest,
				scheme + ":/" + user + ":" + secret + "@" + rest,
				user + ":" + secret + "@" + rest,
				scheme + "://host/" + rest + "?X-Amz-Signature=" + secret,
				"https://host/" + rest + "?code=" + secret + "&v=1",
			} {
				printed := []string{transfer.Redact(location)}
				r := transfer.NewRedactor(location)
				for _, parse := range []func(string) (transfer.Location, error){transfer.ParseSource, transfer.ParseDestination} {
					if _, err := parse(location); err != nil {
						printed = append(printed, err.Error())
					}
				}
				printed = append(printed, r.Text("stat "+location+": no such file"), r.Text(fmt.Sprintf("Get %q: EOF", location)))
				for _, text := range printed {
					assert.NotContains(t, text, secret, location)
					assert.NotContains(t, text, "hunter2", location)
				}
			}
		}
	})
}
