package api

import (
	"net/netip"
	"strings"
)

// ClientAddress returns the address of the client whose request came over a
// connection from remote: the last one of X-Forwarded-For that is not a proxy that is
// trusted. What others write into that header counts for nothing.
func (a *API) ClientAddress(remote string, forwarded []string) string {
	connection, err := netip.ParseAddrPort(remote)
	if err != nil {
		return ""
	}
	address := connection.Addr().Unmap()
	for i := len(forwarded) - 1; i >= 0 && a.trusted(address); i-- {
		hops := strings.Split(forwarded[i], ",")
		for j := len(hops) - 1; j >= 0 && a.trusted(address); j-- {
			hop, err := netip.ParseAddr(strings.TrimSpace(hops[j]))
			if err != nil {
				return address.String()
			}
			address = hop.Unmap()
		}
	}
	return address.String()
}

func (a *API) trusted(address netip.Addr) bool {
	for _, proxies := range a.TrustedProxies {
		if proxies.Contains(address) {
			return true
		}
	}
	return false
}
