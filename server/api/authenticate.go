package api

import (
	"context"
	"strings"

	"slipway/server/fault"
)

// Authenticate returns the name of the key that a call carries as
// "authorization: Bearer <key>" or "x-api-key: <key>". The name is empty when
// the server is open to everybody. Either may hold the key: a proxy or a mesh adds an
// authorization of its own. Wrong keys from a client's address are slowed down.
func (a *API) Authenticate(ctx context.Context, client, authorization, apiKey string) (name string, err error) {
	if a.Keys == nil {
		return "", nil
	}
	given := false
	for _, key := range []string{bearer(authorization), strings.TrimSpace(apiKey)} {
		if key == "" {
			continue
		}
		if name, ok := a.Keys.Match(key); ok {
			return name, nil
		}
		given = true
	}
	if given {
		if err := a.attempts.failed(ctx, client); err != nil {
			return "", err
		}
	}
	return "", fault.New(fault.Unauthenticated, "an API key is needed: authorization: Bearer <key> or x-api-key: <key>, as an HTTP header or as gRPC metadata")
}

// bearer returns the key of an authorization, or empty if it has another scheme. The
// scheme is case-insensitive, and one space or more follow it.
func bearer(authorization string) string {
	scheme, key, _ := strings.Cut(strings.TrimSpace(authorization), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(key)
}
