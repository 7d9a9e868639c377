package repository

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"slipway/server/tensor"
)

// ParsePBTXT reads Triton's config.pbtxt of a model. What it says maps onto our
// settings; what has no counterpart is an error that names the line, the field
// and what to do.
func ParsePBTXT(body []byte, model string) (Settings, error) {
	m, err := parseText(string(body))
	if err != nil {
		return Settings{}, err
	}
	s := Default()
	t := triton{settings: &s, model: model}
	if err := t.read(m, t.fields()); err != nil {
		return Settings{}, err
	}
	// Without dynamic_batching Triton runs each request by itself.
	if !t.dynamic {
		s.Batching.MaxBatchSize = 0
	}
	return s, s.validate()
}

// triton is a config.pbtxt that is being read.
type triton struct {
	settings *Settings
	model    string
	dynamic  bool
}

// reader takes one field over.
type reader func(f *field) error

// read takes each field over by its name. One without a reader is refused.
func (t *triton) read(m message, readers map[string]reader) error {
	for i := range m {
		f := &m[i]
		take, known := readers[f.name]
		if !known {
			return f.problem("is not among what is read of a config.pbtxt; remove it, or write a config.yaml")
		}
		if err := take(f); err != nil {
			return err
		}
	}
	return nil
}

// within takes over the fields of a message.
func (t *triton) within(readers map[string]reader) reader {
	return func(f *field) error {
		if !f.isNest {
			return f.problem("must be a message in braces")
		}
		return t.read(f.nested, readers)
	}
}

func (t *triton) fields() map[string]reader {
	s := t.settings
	return map[string]reader{
		"name":                   oneOf("it must be the folder's", t.model),
		"platform":               oneOf("models are ONNX", "onnxruntime_onnx"),
		"backend":                oneOf("models are ONNX", "onnxruntime"),
		"default_model_filename": oneOf("the file's name is fixed", modelFile),
		"max_batch_size":         number(&s.Batching.MaxBatchSize),
		"input":                  t.declared(true),
		"output":                 t.declared(false),
		"dynamic_batching":       t.dynamicBatching,
		"instance_group":         t.instanceGroup,
		"version_policy":         t.within(t.versionPolicy()),
		"model_warmup":           t.warmUp,
		"parameters":             t.parameter,
	}
}

func (t *triton) dynamicBatching(f *field) error {
	t.dynamic = true
	s := t.settings
	return t.within(map[string]reader{
		"preferred_batch_size":         numbers(&s.Batching.PreferredBatchSizes),
		"max_queue_delay_microseconds": microseconds(&s.Batching.MaxQueueDelay),
		"priority_levels":              number(&s.Queue.PriorityLevels),
		"default_priority_level":       number(&s.Queue.DefaultPriority),
		"preserve_ordering":            oneOf("each answer goes to its own caller, in whatever order", "false"),
		"default_queue_policy": t.within(map[string]reader{
			"timeout_action":               oneOf("a late request is refused", "REJECT"),
			"default_timeout_microseconds": microseconds(&s.Queue.Timeout),
			"allow_timeout_override":       oneOf("a request may always ask for less", "true"),
			"max_queue_size":               number(&s.Queue.MaxRequests),
		}),
	})(f)
}

func (t *triton) instanceGroup(f *field) error {
	return t.within(map[string]reader{
		"name":  func(*field) error { return nil },
		"count": number(&t.settings.Instances.Count),
		"kind":  oneOf("this server runs models on the CPU", "KIND_CPU", "KIND_AUTO"),
	})(f)
}

func (t *triton) versionPolicy() map[string]reader {
	v := &t.settings.Versions
	return map[string]reader{
		"latest": func(f *field) error {
			*v = Versions{Latest: 1}
			return t.within(map[string]reader{"num_versions": number(&v.Latest)})(f)
		},
		"all": func(f *field) error {
			*v = Versions{All: true}
			return t.within(nil)(f)
		},
		"specific": func(f *field) error {
			*v = Versions{}
			return t.within(map[string]reader{"versions": numbers(&v.Specific)})(f)
		},
	}
}

func (t *triton) warmUp(f *field) error {
	w := WarmUp{Inputs: map[string]WarmUpInput{}}
	err := t.within(map[string]reader{
		"name":       text(&w.Name),
		"batch_size": number(&w.BatchSize),
		"count":      number(&w.Count),
		"inputs": func(f *field) error {
			var name string
			var in WarmUpInput
			err := t.within(map[string]reader{
				"key": text(&name),
				"value": t.within(map[string]reader{
					"data_type":   dataType(&in.DType),
					"dims":        numbers(&in.Dims),
					"zero_data":   func(*field) error { return nil },
					"random_data": func(f *field) error { in.Random = f.text == "true"; return nil },
				}),
			})(f)
			w.Inputs[name] = in
			return err
		},
	})(f)
	t.settings.WarmUp = append(t.settings.WarmUp, w)
	return err
}

func (t *triton) parameter(f *field) error {
	var key, value string
	err := t.within(map[string]reader{
		"key":   text(&key),
		"value": t.within(map[string]reader{"string_value": text(&value)}),
	})(f)
	if err != nil {
		return err
	}
	if key != "intra_op_thread_count" {
		return f.problem("%q is not among what is read of a config.pbtxt; remove it", key)
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		return f.problem("%s: got %q, expected a number", key, value)
	}
	t.settings.Instances.IntraOpThreads = n
	return nil
}

// declared keeps an input or output, to be compared with the model's own.
func (t *triton) declared(input bool) reader {
	return func(f *field) error {
		d := Declared{Input: input}
		err := t.within(map[string]reader{
			"name":      text(&d.Name),
			"data_type": dataType(&d.DType),
			"dims":      numbers(&d.Dims),
			"format":    oneOf("data is taken as it is", "FORMAT_NONE"),
		})(f)
		t.settings.Declared = append(t.settings.Declared, d)
		return err
	}
}

func oneOf(why string, allowed ...string) reader {
	return func(f *field) error {
		for _, a := range allowed {
			if f.text == a {
				return nil
			}
		}
		return f.problem("is %q, only %s is served: %s", f.text, strings.Join(allowed, " or "), why)
	}
}

func text(into *string) reader {
	return func(f *field) error {
		if !f.quoted {
			return f.problem("must be a text in quotation marks")
		}
		*into = f.text
		return nil
	}
}

type whole interface{ ~int | ~int64 }

func parseWhole[T whole](f *field, into *T) error {
	n, err := strconv.ParseInt(f.text, 0, 64)
	if err != nil || f.quoted {
		return f.problem("got %q, expected a whole number", f.text)
	}
	*into = T(n)
	return nil
}

func number[T whole](into *T) reader {
	return func(f *field) error { return parseWhole(f, into) }
}

func numbers[T whole](into *[]T) reader {
	return func(f *field) error {
		var n T
		err := parseWhole(f, &n)
		*into = append(*into, n)
		return err
	}
}

func microseconds(into *time.Duration) reader {
	return func(f *field) error {
		var n int64
		if err := parseWhole(f, &n); err != nil {
			return err
		}
		if n < 0 || n > int64(time.Hour/time.Microsecond) {
			return f.problem("is %d, expected microseconds from 0 to an hour", n)
		}
		*into = time.Duration(n) * time.Microsecond
		return nil
	}
}

// dataType reads TYPE_FP32 and the like.
func dataType(into *tensor.DType) reader {
	return func(f *field) error {
		name := strings.TrimPrefix(f.text, "TYPE_")
		if name == "STRING" {
			name = tensor.Bytes.String()
		}
		d, ok := tensor.ParseDType(name)
		if !ok {
			return fmt.Errorf("line %d: data_type: %q is not served", f.line, f.text)
		}
		*into = d
		return nil
	}
}
