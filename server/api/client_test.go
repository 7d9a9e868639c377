package api_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"

	"slipway/server/api"
)

func TestClientAddress(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, test := range []struct {
		remote    string
		forwarded []string
		want      string
	}{
		{"192.0.2.1:5", nil, "192.0.2.1"},
		{"192.0.2.1:5", []string{"198.51.100.7"}, "192.0.2.1"}, // not a proxy that is trusted
		{"10.1.1.1:5", nil, "10.1.1.1"},
		{"10.1.1.1:5", []string{"198.51.100.7"}, "198.51.100.7"},
		{"10.1.1.1:5", []string{"1.2.3.4, 198.51.100.7"}, "198.51.100.7"}, // the client wrote the first
		{"10.1.1.1:5", []string{"1.2.3.4", "198.51.100.7, 10.2.2.2"}, "198.51.100.7"},
		{"10.1.1.1:5", []string{"10.3.3.3"}, "10.3.3.3"},
		{"10.1.1.1:5", []string{"1.2.3.4, nonsense"}, "10.1.1.1"},
		{"[::ffff:10.1.1.1]:5", []string{"198.51.100.7"}, "198.51.100.7"},
		{"[fd00::1]:5", []string{"2001:db8::1"}, "2001:db8::1"},
		{"@", nil, ""},
	} {
		a := api.New(api.Options{TrustedProxies: trusted})
		assert.Equal(t, test.want, a.ClientAddress(test.remote, test.forwarded), "%+v", test)
	}
	assert.Equal(t, "10.1.1.1", api.New(api.Options{}).ClientAddress("10.1.1.1:5", []string{"198.51.100.7"}))
}
