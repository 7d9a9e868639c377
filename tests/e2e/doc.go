// Package e2e installs the model-server chart on the kind cluster with Helm's own library and requests predictions from the release the
// way its users do: through the Service and through the Ingress.
//
// It knows the chart's values and the server's routes, and must not know their code: of server/ it imports only the protocol's messages.
// Every test works in a namespace of its own, under the "restricted" Pod Security standard, and leaves nothing behind.
//
// The tests carry the build tag e2e, so that `go test ./...` passes without a cluster. `make e2e` brings the cluster up and runs them.
package e2e
