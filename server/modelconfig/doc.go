// Package modelconfig reads how a model is to be served from config.yaml or from
// Triton's config.pbtxt, beside the model's versions, and validates it. It does
// not open the model: what the file declares of inputs and outputs is for whoever
// does to compare.
package modelconfig
