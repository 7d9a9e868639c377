// Package tensor is the language every other room speaks: a data type, a
// shape, flat typed data, and the sequences and maps that some models answer
// with. It knows neither HTTP nor ONNX Runtime and imports nothing of ours.
package tensor
