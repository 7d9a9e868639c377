// Package app is the server as a value: New takes what can fail, Start serves,
// Stop drains and releases. It connects the configuration, the catalog of models,
// the two protocols and their listeners; what a request does is theirs. It does
// not load ONNX Runtime and sets nothing of the process, so that a test can start
// several servers, on port 0.
package app
