package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/fault"
	"slipway/server/oip"
	"slipway/server/onnx/onnxtest"
)

// Models are loaded and unloaded at the administration port only, as their folder has them.
func TestRepositoryActions(t *testing.T) {
	f := start(t, onnxtest.Repository(t, map[string]string{"plus/1/model.onnx": "constant_1"}), nil)
	rest := func(verb, body string, admin bool) error {
		s := f.rest
		if admin {
			s = f.admin
		}
		code, text := f.request(t, s, http.MethodPost, "/v2/repository/models/plus/"+verb, body)
		return restError(code, text)
	}
	rpc := func(verb, parameter string, admin bool) error {
		conn := f.rpc
		if admin {
			conn = f.rpcAdmin
		}
		parameters := map[string]*oip.ModelRepositoryParameter{}
		if parameter != "" {
			parameters[parameter] = &oip.ModelRepositoryParameter{}
		}
		c := oip.NewGRPCInferenceServiceClient(conn)
		if verb == "load" {
			_, err := c.RepositoryModelLoad(t.Context(), &oip.RepositoryModelLoadRequest{ModelName: "plus", Parameters: parameters})
			return rpcError(err)
		}
		_, err := c.RepositoryModelUnload(t.Context(), &oip.RepositoryModelUnloadRequest{ModelName: "plus", Parameters: parameters})
		return rpcError(err)
	}
	for protocol, act := range map[string]func(verb, parameter string, admin bool) error{
		"REST": func(verb, parameter string, admin bool) error {
			if parameter == "" {
				return rest(verb, "", admin)
			}
			return rest(verb, `{"parameters":{"`+parameter+`":true}}`, admin)
		},
		"gRPC": rpc,
	} {
		t.Run(protocol, func(t *testing.T) {
			for _, verb := range []string{"load", "unload"} {
				refused(t, act(verb, "", false), fault.PermissionDenied, "admin.address")
				refused(t, act(verb, "config", true), fault.InvalidArgument, "config")
			}
			require.NoError(t, act("unload", "unload_dependents", true))
			refused(t, protocols[protocol](t, f, plus()), fault.Unavailable, "unloaded")
			require.NoError(t, act("load", "", true))
			require.NoError(t, protocols[protocol](t, f, plus()))
		})
	}
}

// One call drains both protocols.
func TestDraining(t *testing.T) {
	f := start(t, onnxtest.Repository(t, map[string]string{"plus/1/model.onnx": "constant_1"}), nil)
	ready := map[string]func() bool{
		"REST": func() bool {
			code, _ := f.request(t, f.rest, http.MethodGet, "/readyz", "")
			return code == http.StatusOK
		},
		"gRPC": func() bool {
			r, err := f.client().ServerReady(t.Context(), &oip.ServerReadyRequest{})
			require.NoError(t, err)
			return r.GetReady()
		},
	}
	for protocol, is := range ready {
		assert.True(t, is(), protocol)
	}
	f.api.Drain()
	f.api.Drain()
	<-f.api.Draining()
	for protocol, is := range ready {
		assert.False(t, is(), protocol)
		assert.NoError(t, protocols[protocol](t, f, plus()), "requests are still served")
	}
}
