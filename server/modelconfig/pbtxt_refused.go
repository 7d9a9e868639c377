package modelconfig

// refused says of Triton's fields that have no counterpart what to do instead.
// Left at its default, such a field says nothing and passes.
var refused = map[string]string{
	"sequence_batching":                         "this server keeps no state between requests; give the model its state as an input and an output",
	"ensemble_scheduling":                       "this server runs one model to a request; merge the models into one ONNX file, or call one after the other",
	"optimization":                              "ONNX Runtime's optimizations for the CPU are always on; remove it",
	"response_cache":                            "answers are not cached; remove it, or put a cache before the server",
	"batch_input":                               "requests are batched along the first axis and nothing is added; remove it",
	"batch_output":                              "answers are split along the first axis; remove it",
	"cc_model_filenames":                        "it is for GPUs; remove it",
	"metric_tags":                               "metrics are labelled by model and version; remove it",
	"model_operations":                          "custom operators are not loaded; export the model with ONNX's own",
	"model_transaction_policy":                  "each request has one answer; remove it",
	"model_repository_agents":                   "put a MANIFEST.json with the files' SHA-256 into the version folder instead",
	"model_metrics":                             "the histograms' buckets are fixed; remove it",
	"runtime":                                   "this server has one runtime; remove it",
	"dynamic_batching.preserve_ordering":        "each answer goes to its own caller as soon as it is there; remove it",
	"dynamic_batching.priority_queue_policy":    "all priority levels share default_queue_policy; remove it",
	"instance_group.gpus":                       "this server runs models on the CPU; remove it",
	"instance_group.rate_limiter":               "count alone says how many run at once; remove it",
	"instance_group.profile":                    "it is for TensorRT; remove it",
	"instance_group.passive":                    "every instance takes requests; remove it",
	"instance_group.host_policy":                "instances are not bound to processors; remove it",
	"instance_group.secondary_devices":          "this server runs models on the CPU; remove it",
	"input.reshape":                             "clients send the shape that the model has; remove it and let them",
	"output.reshape":                            "clients get the shape that the model has; remove it",
	"input.is_shape_tensor":                     "it is for TensorRT; remove it",
	"output.is_shape_tensor":                    "it is for TensorRT; remove it",
	"input.is_non_linear_format_io":             "it is for TensorRT; remove it",
	"output.is_non_linear_format_io":            "it is for TensorRT; remove it",
	"input.allow_ragged_batch":                  "requests share a run when their shapes agree but for the first axis; remove it",
	"input.optional":                            "every input of an ONNX model must be given; remove it",
	"output.label_filename":                     "answers are the model's own, without labels; remove it",
	"model_warmup.inputs.value.input_data_file": "use zero_data or random_data, or a golden.ndjson for real requests",
}

// refuse is the error of a field that is not read, or nil if it says nothing.
func (f *field) refuse() error {
	why, known := refused[f.path]
	switch {
	case !known:
		return f.problem("unknown field; remove it")
	case f.kind != messageKind && (f.text == "" || f.text == "false"):
		return nil
	}
	return f.problem("not served: %s", why)
}
