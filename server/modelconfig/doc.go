// Package modelconfig reads how a model is to be served from config.yaml or from
// Triton's config.pbtxt, beside the model's versions, and validates it. It does
// not open the model: the package that opens it compares the inputs and outputs
// that the file declares.
package modelconfig
