package api

import (
	"context"
	"strings"

	"slipway/server/fault"
)

// Authenticate returns the name of the key that a call carries as
// "authorization: Bearer <key>" or "x-api-key: <key>". The name is empty when
// the server is open to everybody. Wrong keys from a client's address are slowed down.
func (a *API) Authenticate(ctx context.Context, client, authorization, apiKey string) (name string, err error) {
	if a.Keys == nil {
		return "", nil
	}
	if key, bearer := strings.CutPrefix(authorization, "Bearer "); bearer {
		apiKey = key
	}
	name, ok := a.Keys.Match(apiKey)
	if !ok && apiKey != "" {
		if err := a.attempts.failed(ctx, client); err != nil {
			return "", err
		}
	}
	if !ok {
		return "", fault.New(fault.Unauthenticated, "an API key is needed: authorization: Bearer <key> or x-api-key: <key>, as an HTTP header or as gRPC metadata")
	}
	return name, nil
}
