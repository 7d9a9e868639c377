package transfer

import (
	"cmp"
	"context"
	"encoding/base64"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Redactor removes from texts what must not be printed: the secrets of a location
// and of headers, those of any URL, such as one that a server redirects to, and
// control characters. Errors and log lines have texts of servers and libraries.
type Redactor struct{ known *strings.Replacer }

// NewRedactor returns one that knows the secrets in the text of a location, and more.
func NewRedactor(location string, more ...string) *Redactor {
	forms := map[string]bool{}
	for _, secret := range append(secretsOf(location), more...) {
		decoded, err := url.QueryUnescape(secret)
		if err != nil {
			decoded = secret
		}
		for _, form := range []string{secret, decoded, url.QueryEscape(decoded), url.PathEscape(decoded), url.UserPassword("", decoded).String()[1:]} {
			forms[form] = true
			quoted := strconv.Quote(form)
			forms[quoted[1:len(quoted)-1]] = true
		}
	}
	longestFirst := slices.SortedFunc(maps.Keys(forms), func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	var pairs []string
	for _, form := range longestFirst {
		if len(form) >= leastSecret {
			pairs = append(pairs, form, hidden)
		}
	}
	return &Redactor{strings.NewReplacer(pairs...)}
}

// secretsOf finds what may be secret in a location, whether it can be parsed or not.
func secretsOf(text string) (secrets []string) {
	scheme, rest, isURL := strings.Cut(text, "://")
	if !isURL {
		scheme, rest = HTTPS, text
	}
	rest = withoutDigest(scheme, rest)
	if last := strings.LastIndexByte(rest, '@'); last >= 0 {
		user, password, has := strings.Cut(rest[:last], ":")
		first, _, _ := strings.Cut(password, "@")
		secrets = append(secrets, password, first)
		if !has && !strings.Contains(user, "/") {
			secrets = append(secrets, user) // a token
		}
	}
	if u, err := url.Parse(text); err == nil && u.User != nil {
		password, _ := u.User.Password()
		secrets = append(secrets, base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password))) // as it is sent
	}
	_, query, _ := strings.Cut(rest, "?")
	for pair := range strings.FieldsFuncSeq(query, func(r rune) bool { return strings.ContainsRune("&;#", r) }) {
		_, value, has := strings.Cut(pair, "=")
		// Those of an object store are mostly options, such as a region.
		if isWeb := strings.EqualFold(scheme, HTTPS) || strings.EqualFold(scheme, HTTP); has && (isWeb || secretParameter.MatchString(pair)) {
			secrets = append(secrets, value)
		}
	}
	return secrets
}

// Text returns a text as it may be printed, on one line.
func (r *Redactor) Text(text string) string {
	text = r.known.Replace(text)
	text = anyURL.ReplaceAllStringFunc(text, func(found string) string {
		trimmed := strings.TrimRight(found, ".,:;)")
		return Redact(trimmed) + found[len(trimmed):]
	})
	text = secretParameter.ReplaceAllString(text, "$1="+hidden)
	text = secretHeader.ReplaceAllString(text, "$1 "+hidden)
	return printable(text)
}

// Error returns an error with a text that may be printed and that wraps err.
func (r *Redactor) Error(err error) error {
	if err == nil {
		return nil
	}
	return &redacted{err, r.Text(err.Error())}
}

type redacted struct {
	err  error
	text string
}

func (e *redacted) Error() string { return e.text }

func (e *redacted) Unwrap() error { return e.err }

// Logger returns a logger whose lines may be printed.
func (r *Redactor) Logger(log *slog.Logger) *slog.Logger {
	return slog.New(&handler{log.Handler(), r})
}

type handler struct {
	slog.Handler
	redactor *Redactor
}

func (h *handler) Handle(ctx context.Context, record slog.Record) error {
	clean := slog.NewRecord(record.Time, record.Level, h.redactor.Text(record.Message), record.PC)
	record.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(h.attribute(a))
		return true
	})
	return h.Handler.Handle(ctx, clean)
}

func (h *handler) WithAttrs(attributes []slog.Attr) slog.Handler {
	var clean []slog.Attr
	for _, a := range attributes {
		clean = append(clean, h.attribute(a))
	}
	return &handler{h.Handler.WithAttrs(clean), h.redactor}
}

func (h *handler) WithGroup(name string) slog.Handler {
	return &handler{h.Handler.WithGroup(name), h.redactor}
}

func (h *handler) attribute(a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindString {
		return slog.String(a.Key, h.redactor.Text(a.Value.String()))
	}
	if err, isError := a.Value.Any().(error); isError {
		return slog.String(a.Key, h.redactor.Text(err.Error()))
	}
	return a
}
