// Package app is the server as a value: New opens everything that can fail, Start
// serves, Stop drains and releases. It connects the configuration, the catalog of
// models, the two protocols and their listeners; the protocols handle the requests.
// It does not load ONNX Runtime and changes no setting of the process, so that a
// test can start several servers, on port 0.
package app
