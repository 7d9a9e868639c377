package transfer

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	hidden       = "…"  // stands for what is not printed
	leastSecret  = 4    // bytes; what is shorter is part of too many words
	longestPrint = 4096 // bytes of a text; servers send longer ones
)

var (
	validScheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*$`)
	anyURL      = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>]+`)
	digestAtEnd = regexp.MustCompile(`@sha(256|384|512):[0-9a-fA-F]*$`)
	// Parameters of signed URLs and of forms, also where no URL is around them.
	secretParameter = regexp.MustCompile(`(?i)([\w.-]*(?:sig|signature|credential|token|secret|password|passwd|pwd|key)[\w.-]*)=[^\s&"'<>]+`)
	secretHeader    = regexp.MustCompile(`\b(Bearer|Basic) [\w.~+/-]{8,}=*`)
)

// Redact returns the text of a location without what may be secret in it: the
// user, the query and the fragment. Where a password can't be told from the rest,
// only the scheme is left.
func Redact(text string) string {
	scheme, _, isURL := strings.Cut(text, "://")
	if !isURL {
		before, _, _ := strings.Cut(text, "?") // of a URL whose scheme was forgotten
		if mayHoldPassword("", before) {
			return hidden
		}
		return secretParameter.ReplaceAllString(before, "$1="+hidden)
	}
	if !validScheme.MatchString(scheme) {
		return hidden
	}
	u, err := url.Parse(text)
	if err != nil {
		return scheme + "://" + hidden
	}
	u.User, u.RawQuery, u.Fragment, u.RawFragment = nil, "", "", ""
	shown := strings.ReplaceAll(u.String(), url.PathEscape(hidden), hidden) // of a text that was redacted before
	if _, rest, _ := strings.Cut(shown, "://"); mayHoldPassword(scheme, rest) {
		return scheme + "://" + hidden
	}
	return secretParameter.ReplaceAllString(shown, "$1="+hidden)
}

// mayHoldPassword reports whether a text looks like user:password@host, as a path
// does after a password that contains a slash.
func mayHoldPassword(scheme, text string) bool {
	text = withoutDigest(scheme, text)
	at := strings.LastIndexByte(text, '@')
	return at >= 0 && strings.Contains(text[:at], ":")
}

// withoutDigest returns an OCI reference without its digest, and any other text as it is.
func withoutDigest(scheme, text string) string {
	if strings.EqualFold(scheme, OCI) {
		return digestAtEnd.ReplaceAllString(text, "")
	}
	return text
}

// printable returns a text on one line, in which what a terminal could take for a
// command, or show as something else, is escaped.
func printable(text string) string {
	var b strings.Builder
	for text = strings.TrimSpace(text); text != ""; {
		if b.Len() > longestPrint {
			return b.String() + hidden
		}
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == '\n':
			b.WriteString("; ")
		case r == '\r', r == '\t':
			b.WriteByte(' ')
		case unicode.IsPrint(r) && (r != utf8.RuneError || size > 1):
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteToASCII(text[:size])
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		text = text[size:]
	}
	return b.String()
}
