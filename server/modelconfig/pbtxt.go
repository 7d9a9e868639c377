package modelconfig

import (
	"errors"
	"strconv"

	"slipway/server/bundle"
)

// ParsePBTXT reads Triton's config.pbtxt of a model. What it says maps onto our
// settings; what has no counterpart is an error that names the line, the field
// and what to do. As with Triton, batching is off without dynamic_batching, and
// the batch is not among the dims of a model with a max_batch_size.
func ParsePBTXT(body []byte, model string) (Config, error) {
	m, err := parseText(string(body))
	if err != nil {
		return Config{}, err
	}
	s := Default()
	t := triton{settings: &s, model: model}
	if err := read(m, t.fields()); err != nil {
		return Config{}, err
	}
	if t.maxBatchSize > 0 {
		for i, d := range s.Declared {
			if d.Dims != nil {
				s.Declared[i].Dims = append([]int64{-1}, d.Dims...)
			}
		}
	}
	if t.dynamic {
		s.Batching.MaxBatchSize = t.maxBatchSize
	}
	return s, s.validate(inTriton)
}

// triton is a config.pbtxt that is being read.
type triton struct {
	settings     *Config
	model        string
	maxBatchSize int
	dynamic      bool
	parameters   map[string]bool
}

func (t *triton) fields() map[string]reader {
	return map[string]reader{
		"name":                   onlyText("the folder's name is the model's; change one of them", t.model),
		"platform":               onlyText("this server serves ONNX models", "onnxruntime_onnx"),
		"backend":                onlyText("this server serves ONNX models", "onnxruntime"),
		"default_model_filename": onlyText("rename the file", bundle.ModelFile),
		"max_batch_size":         number(&t.maxBatchSize),
		"input":                  t.declared(true),
		"output":                 t.declared(false),
		"dynamic_batching":       t.dynamicBatching,
		"instance_group":         t.instanceGroup,
		"version_policy":         t.versionPolicy,
		"model_warmup":           t.warmUp,
		"parameters":             t.parameter,
	}
}

func (t *triton) dynamicBatching(f *field) error {
	t.dynamic = true
	b, q := &t.settings.Batching, &t.settings.Queue
	return within(f, map[string]reader{
		"preferred_batch_size":         numbers(&b.PreferredBatchSizes),
		"max_queue_delay_microseconds": microseconds(&b.MaxQueueDelay),
		"priority_levels":              number(&q.PriorityLevels),
		"default_priority_level":       number(&q.DefaultPriority),
		"default_queue_policy":         t.queuePolicy,
	})
}

func (t *triton) queuePolicy(f *field) error {
	q := &t.settings.Queue
	size := 0
	err := within(f, map[string]reader{
		"timeout_action":               onlyWord("a request that is late is refused", "REJECT"),
		"default_timeout_microseconds": microseconds(&q.Timeout),
		"allow_timeout_override":       onlyWord("a request may always ask for a shorter one; remove the line", "true"),
		"max_queue_size":               number(&size),
	})
	if size != 0 { // 0 has no bound in Triton; here it has the one that every model has
		q.MaxRequests = size
	}
	return err
}

// instanceGroup adds a group's instances to those of the groups before it.
func (t *triton) instanceGroup(f *field) error {
	count := 0
	err := within(f, map[string]reader{
		"name":  text(new(string)),
		"count": number(&count),
		"kind":  onlyWord("this server runs models on the CPU", "KIND_CPU", "KIND_AUTO"),
	})
	t.settings.Instances.Count += max(count, 1) // 0 is the same as left out
	return err
}

func (t *triton) versionPolicy(f *field) error {
	v := Versions{}
	err := within(f, map[string]reader{
		"latest": func(f *field) error {
			err := within(f, map[string]reader{"num_versions": number(&v.Latest)})
			v.Latest = max(v.Latest, 1)
			return err
		},
		"all": func(f *field) error {
			v.All = true
			return within(f, nil)
		},
		"specific": func(f *field) error {
			err := within(f, map[string]reader{"versions": numbers(&v.Specific)})
			if err == nil && len(v.Specific) == 0 {
				return f.problem("names no version")
			}
			return err
		},
	})
	t.settings.Versions = v
	return errors.Join(err, f.oneOf("latest", "all", "specific"))
}

// parameter takes over what Triton's ONNX Runtime backend is told this way.
func (t *triton) parameter(f *field) error {
	var key, value string
	err := within(f, map[string]reader{
		"key":   text(&key),
		"value": func(f *field) error { return within(f, map[string]reader{"string_value": text(&value)}) },
	})
	if err != nil {
		return err
	}
	if t.parameters[key] {
		return f.problem("%q is given twice", key)
	}
	if t.parameters == nil {
		t.parameters = map[string]bool{}
	}
	t.parameters[key] = true
	switch key {
	case "intra_op_thread_count":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 {
			return f.problem("%s: got %q, expected a number of threads", key, value)
		}
		t.settings.Instances.IntraOpThreads = n
	case "enable_mem_arena":
		if value != "0" && value != "1" {
			return f.problem(`%s: got %q, expected "0" or "1"`, key, value)
		}
		t.settings.Memory.Arena = value == "1"
	default:
		return f.problem("%q is not among the parameters that are read, intra_op_thread_count and enable_mem_arena; remove it", key)
	}
	return nil
}
