package modelconfig

import (
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// refused has the remedy for each of Triton's fields without a counterpart. Such
// a field may have its default value.
var refused = map[string]string{
	"sequence_batching":                         "this server keeps no state between requests; give the model its state as an input and an output",
	"ensemble_scheduling":                       "this server runs one model for each request; merge the models into one ONNX file, or call one after the other",
	"optimization":                              "ONNX Runtime's optimizations for the CPU are always on; remove it",
	"response_cache":                            "responses are not cached; remove it, or put a cache before the server",
	"batch_input":                               "requests are batched along the first axis and nothing is added; remove it",
	"batch_output":                              "responses are split along the first axis; remove it",
	"cc_model_filenames":                        "it is for GPUs; remove it",
	"metric_tags":                               "metrics are labelled by model and version; remove it",
	"model_operations":                          "custom operators are not loaded; export the model with ONNX's own",
	"model_transaction_policy":                  "each request has one response; remove it",
	"model_repository_agents":                   "put a MANIFEST.json with the files' SHA-256 into the version folder instead",
	"model_metrics":                             "the histograms' buckets are fixed; remove it",
	"runtime":                                   "this server has one runtime; remove it",
	"dynamic_batching.preserve_ordering":        "each response is sent to its own client as soon as it is ready; remove it",
	"dynamic_batching.priority_queue_policy":    "all priority levels share default_queue_policy; remove it",
	"instance_group.gpus":                       "this server runs models on the CPU; remove it",
	"instance_group.rate_limiter":               "only count sets how many run at once; remove it",
	"instance_group.profile":                    "it is for TensorRT; remove it",
	"instance_group.passive":                    "every instance takes requests; remove it",
	"instance_group.host_policy":                "instances are not bound to processors; remove it",
	"instance_group.secondary_devices":          "this server runs models on the CPU; remove it",
	"input.reshape":                             "clients send the model's own shape; remove it",
	"output.reshape":                            "clients receive the model's own shape; remove it",
	"input.is_shape_tensor":                     "it is for TensorRT; remove it",
	"output.is_shape_tensor":                    "it is for TensorRT; remove it",
	"input.is_non_linear_format_io":             "it is for TensorRT; remove it",
	"output.is_non_linear_format_io":            "it is for TensorRT; remove it",
	"input.allow_ragged_batch":                  "requests share a run when their shapes agree but for the first axis; remove it",
	"output.label_filename":                     "responses are the model's own, without labels; remove it",
	"model_warmup.inputs.value.input_data_file": "use zero_data or random_data, or a golden.ndjson for real requests",
}

// refuse returns an error for each field below a path that is set and not served.
func refuse(path string, m protoreflect.Message) (all []error) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		at := path + string(f.Name())
		if why, known := refused[at]; known {
			if !isDefault(f, v) {
				all = append(all, fmt.Errorf("%s: not served: %s", at, why))
			}
			return true
		}
		for _, inner := range messagesOf(f, v) {
			all = append(all, refuse(at+".", inner)...)
		}
		return true
	})
	return all
}

func isDefault(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
	return !f.IsList() && f.Message() == nil && v.Equal(f.Default())
}
