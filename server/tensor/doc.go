// Package tensor is the language that every other package speaks: an element
// type, a shape, flat typed data, and the sequences and maps that some models
// return. Its table of element types is the only one. It knows neither HTTP nor
// ONNX Runtime and imports nothing of ours.
package tensor
