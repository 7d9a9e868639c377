// Package tensor defines the values that all packages exchange: an element type,
// a shape, flat typed data, and the sequences and maps that some models return.
// Its table of element types is the only one. It knows neither HTTP nor ONNX
// Runtime, and imports no other package of the server.
package tensor
