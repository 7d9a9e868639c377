package modelconfig

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"slipway/server/config"
	"slipway/server/tensor"
)

// yamlDocument has the keys of config.yaml. An absent key keeps its default.
type yamlDocument struct {
	Batching struct {
		MaxBatchSize        int           `yaml:"maxBatchSize"`
		PreferredBatchSizes []int         `yaml:"preferredBatchSizes"`
		MaxQueueDelay       time.Duration `yaml:"maxQueueDelay"`
	} `yaml:"batching"`
	Queue struct {
		MaxRequests     *int           `yaml:"maxRequests"`
		MaxBytes        *byteSize      `yaml:"maxBytes"`
		Timeout         *time.Duration `yaml:"timeout"`
		PriorityLevels  int            `yaml:"priorityLevels"`
		DefaultPriority int            `yaml:"defaultPriority"`
	} `yaml:"queue"`
	Instances struct {
		Count          int `yaml:"count"`
		IntraOpThreads int `yaml:"intraOpThreads"`
	} `yaml:"instances"`
	Versions struct {
		Latest   *int     `yaml:"latest"`
		All      bool     `yaml:"all"`
		Specific *[]int64 `yaml:"specific"`
	} `yaml:"versions"`
	Memory struct {
		Arena bool `yaml:"arena"`
	} `yaml:"memory"`
	WarmUp []yamlWarmUp `yaml:"warmUp"`
}

type yamlWarmUp struct {
	Name      string `yaml:"name"`
	BatchSize int    `yaml:"batchSize"`
	Count     int    `yaml:"count"`
	Inputs    map[string]struct {
		Datatype string  `yaml:"datatype"`
		Dims     []int64 `yaml:"dims"`
		Random   bool    `yaml:"random"`
	} `yaml:"inputs"`
}

// byteSize is a number of bytes, plain or with Ki, Mi or Gi.
type byteSize int64

// UnmarshalYAML reads 1048576 and 1Mi alike.
func (b *byteSize) UnmarshalYAML(unmarshal func(any) error) error {
	var text string
	if err := unmarshal(&text); err != nil {
		return err
	}
	n, err := config.ParseBytes(text)
	if err != nil {
		return err
	}
	*b = byteSize(n)
	return nil
}

// ParseYAML reads a model's config.yaml. An unknown or repeated key is an error
// that names the line.
func ParseYAML(body []byte) (Config, error) {
	var d yamlDocument
	if err := config.DecodeYAML(body, &d); err != nil {
		return Config{}, err
	}
	c, err := d.config()
	if err != nil {
		return Config{}, bounded(err)
	}
	return c, bounded(c.validate(inYAML))
}

func (d *yamlDocument) config() (Config, error) {
	s := Default()
	s.Batching = Batching(d.Batching)
	s.Instances = Instances(d.Instances)
	s.Memory = Memory(d.Memory)
	s.Queue.PriorityLevels, s.Queue.DefaultPriority = d.Queue.PriorityLevels, d.Queue.DefaultPriority
	if d.Queue.MaxRequests != nil {
		s.Queue.MaxRequests = *d.Queue.MaxRequests
	}
	if d.Queue.MaxBytes != nil {
		s.Queue.MaxBytes = int64(*d.Queue.MaxBytes)
	}
	if d.Queue.Timeout != nil {
		s.Queue.Timeout = *d.Queue.Timeout
	}
	all := []error{d.versions(&s.Versions)}
	for i, w := range d.WarmUp {
		one, err := w.warmUp(fmt.Sprintf("warmUp[%d]", i))
		s.WarmUp, all = append(s.WarmUp, one), append(all, err)
	}
	return s, errors.Join(all...)
}

// versions sets the policy, of which at most one may be set.
func (d *yamlDocument) versions(v *Versions) error {
	var given []string
	if d.Versions.Latest != nil {
		given = append(given, "versions.latest")
		*v = Versions{Latest: *d.Versions.Latest}
	}
	if d.Versions.All {
		given = append(given, "versions.all")
		*v = Versions{All: true}
	}
	if d.Versions.Specific != nil {
		given = append(given, "versions.specific")
		*v = Versions{Specific: *d.Versions.Specific}
		if len(v.Specific) == 0 {
			return errors.New("versions.specific: names no version; name one, or remove it")
		}
	}
	if len(given) > 1 {
		return fmt.Errorf("%s exclude each other; keep one", strings.Join(given, " and "))
	}
	return nil
}

func (d *yamlWarmUp) warmUp(path string) (WarmUp, error) {
	w := WarmUp{Name: d.Name, BatchSize: d.BatchSize, Count: d.Count, Inputs: map[string]WarmUpInput{}}
	var all []error
	for _, name := range slices.Sorted(maps.Keys(d.Inputs)) {
		in := d.Inputs[name]
		dtype, known := tensor.ParseDType(in.Datatype)
		if in.Datatype != "" && !known {
			all = append(all, fmt.Errorf("%s.inputs.%s.datatype: %q is not one of the protocol's types, such as FP32", path, name, in.Datatype))
		}
		w.Inputs[name] = WarmUpInput{dtype, in.Dims, in.Random}
	}
	return w, errors.Join(all...)
}
