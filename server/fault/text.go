package fault

import (
	"strings"
	"unicode/utf8"
)

// longest is how long the text of an error may be in a response, in bytes. gRPC sends it
// in a header, percent-encoded, and with details a second time: many clients take 8 KiB
// of headers and end the call otherwise, without its status.
const longest = 2 << 10

// Text returns the text of err for a response of any protocol: UTF-8, and only the
// beginning of what is longer than a header may be.
func Text(err error) string {
	text := strings.ToValidUTF8(err.Error(), "\ufffd")
	const more = "…"
	size, end := 0, 0 // of what was looked at; where more fits behind it
	for i, r := range text {
		size += encoded(r)
		if size <= longest-utf8.UTFMax*encodedByte {
			end = i + utf8.RuneLen(r)
		}
		if size > longest {
			return text[:end] + more
		}
	}
	return text
}

// encodedByte is how many bytes a byte takes that gRPC encodes.
const encodedByte = 3

// encoded returns how many bytes a character takes in gRPC's header.
func encoded(r rune) int {
	if r >= ' ' && r <= '~' && r != '%' {
		return 1
	}
	return encodedByte * utf8.RuneLen(r)
}
