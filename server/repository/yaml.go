package repository

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"slipway/server/tensor"
)

// document is config.yaml as it is written.
type document struct {
	Batching struct {
		MaxBatchSize        int           `yaml:"maxBatchSize"`
		PreferredBatchSizes []int         `yaml:"preferredBatchSizes"`
		MaxQueueDelay       time.Duration `yaml:"maxQueueDelay"`
	} `yaml:"batching"`
	Queue struct {
		MaxRequests     int           `yaml:"maxRequests"`
		MaxBytes        byteSize      `yaml:"maxBytes"`
		Timeout         time.Duration `yaml:"timeout"`
		PriorityLevels  int           `yaml:"priorityLevels"`
		DefaultPriority int           `yaml:"defaultPriority"`
	} `yaml:"queue"`
	Instances struct {
		Count          int `yaml:"count"`
		IntraOpThreads int `yaml:"intraOpThreads"`
	} `yaml:"instances"`
	Versions struct {
		Latest   *int    `yaml:"latest"`
		All      bool    `yaml:"all"`
		Specific []int64 `yaml:"specific"`
	} `yaml:"versions"`
	Memory struct {
		Arena bool `yaml:"arena"`
	} `yaml:"memory"`
	WarmUp []struct {
		Name      string `yaml:"name"`
		BatchSize int    `yaml:"batchSize"`
		Count     int    `yaml:"count"`
		Inputs    map[string]struct {
			Datatype string  `yaml:"datatype"`
			Dims     []int64 `yaml:"dims"`
			Random   bool    `yaml:"random"`
		} `yaml:"inputs"`
	} `yaml:"warmUp"`
}

// byteSize is a number of bytes, plain or with Ki, Mi or Gi.
type byteSize int64

// UnmarshalYAML reads 1048576 and 1Mi alike.
func (b *byteSize) UnmarshalYAML(text []byte) error {
	number := strings.Trim(strings.TrimSpace(string(text)), `"'`)
	shift := 0
	for suffix, bits := range map[string]int{"Ki": 10, "Mi": 20, "Gi": 30} {
		if cut, ok := strings.CutSuffix(number, suffix); ok {
			number, shift = cut, bits
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > 1<<62>>shift {
		return fmt.Errorf("got %q, expected a number of bytes such as 268435456 or 256Mi", text)
	}
	*b = byteSize(n << shift)
	return nil
}

// readSettings reads the one settings file of a model's folder, if it has one.
func readSettings(folder, model string) (Settings, error) {
	yamlPath, pbtxtPath := filepath.Join(folder, yamlFile), filepath.Join(folder, pbtxtFile)
	asYAML, yamlErr := os.ReadFile(yamlPath)
	asText, textErr := os.ReadFile(pbtxtPath)
	for _, err := range []error{yamlErr, textErr} {
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return Default(), err
		}
	}
	var s Settings
	var err error
	switch {
	case yamlErr == nil && textErr == nil:
		return Default(), fmt.Errorf("%s: has both %s and %s; keep one", folder, yamlFile, pbtxtFile)
	case yamlErr == nil:
		if s, err = ParseYAML(asYAML); err != nil {
			return Default(), fmt.Errorf("read %s: %w", yamlPath, err)
		}
	case textErr == nil:
		if s, err = ParsePBTXT(asText, model); err != nil {
			return Default(), fmt.Errorf("read %s: %w", pbtxtPath, err)
		}
	default:
		s = Default()
	}
	return s, nil
}

// ParseYAML reads a model's config.yaml. An unknown or repeated key is an error
// that names the line.
func ParseYAML(body []byte) (Settings, error) {
	file, err := parser.ParseBytes(body, 0)
	if err != nil {
		return Settings{}, errors.New(yaml.FormatError(err, false, true))
	}
	if len(file.Docs) > 1 {
		return Settings{}, errors.New("more than one YAML document; keep one")
	}
	s := Default()
	d := s.document()
	if len(file.Docs) == 1 && file.Docs[0].Body != nil && file.Docs[0].Body.Type() != ast.NullType && file.Docs[0].Body.Type() != ast.CommentType {
		if err := yaml.NodeToValue(file.Docs[0].Body, &d, yaml.Strict()); err != nil {
			return Settings{}, errors.New(yaml.FormatError(err, false, true))
		}
	}
	if err := d.into(&s); err != nil {
		return Settings{}, err
	}
	return s, s.validate()
}

// document is the settings' defaults as a document, to be read over.
func (s *Settings) document() (d document) {
	d.Queue.MaxRequests, d.Queue.MaxBytes, d.Queue.Timeout = s.Queue.MaxRequests, byteSize(s.Queue.MaxBytes), s.Queue.Timeout
	return d
}

func (d *document) into(s *Settings) error {
	s.Batching = Batching{d.Batching.MaxBatchSize, d.Batching.PreferredBatchSizes, d.Batching.MaxQueueDelay}
	s.Queue = Queue{d.Queue.MaxRequests, int64(d.Queue.MaxBytes), d.Queue.Timeout, d.Queue.PriorityLevels, d.Queue.DefaultPriority}
	s.Instances = Instances{d.Instances.Count, d.Instances.IntraOpThreads}
	s.Memory.Arena = d.Memory.Arena
	if err := d.versions(s); err != nil {
		return err
	}
	for i, w := range d.WarmUp {
		one := WarmUp{Name: w.Name, BatchSize: w.BatchSize, Count: w.Count, Inputs: map[string]WarmUpInput{}}
		for name, in := range w.Inputs {
			dtype, ok := tensor.ParseDType(in.Datatype)
			if in.Datatype != "" && !ok {
				return fmt.Errorf("warmUp[%d].inputs.%s.datatype: %q is none of the protocol's, such as FP32", i, name, in.Datatype)
			}
			one.Inputs[name] = WarmUpInput{dtype, in.Dims, in.Random}
		}
		s.WarmUp = append(s.WarmUp, one)
	}
	return nil
}

func (d *document) versions(s *Settings) error {
	v := d.Versions
	var given []string
	if v.Latest != nil {
		given = append(given, "versions.latest")
		if *v.Latest < 1 {
			return fmt.Errorf("versions.latest: must be at least 1, is %d", *v.Latest)
		}
		s.Versions = Versions{Latest: *v.Latest}
	}
	if v.All {
		given = append(given, "versions.all")
		s.Versions = Versions{All: true}
	}
	if len(v.Specific) > 0 {
		given = append(given, "versions.specific")
		s.Versions = Versions{Specific: v.Specific}
	}
	if len(given) > 1 {
		return fmt.Errorf("%s are both set; keep one", strings.Join(given, " and "))
	}
	return nil
}

// validate checks each value and names the key that is wrong, under the names of
// config.yaml.
func (s *Settings) validate() error {
	var all []error
	wrong := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	for _, n := range []struct {
		key   string
		value int64
	}{
		{"batching.maxBatchSize", int64(s.Batching.MaxBatchSize)}, {"batching.maxQueueDelay", int64(s.Batching.MaxQueueDelay)},
		{"queue.maxRequests", int64(s.Queue.MaxRequests)}, {"queue.timeout", int64(s.Queue.Timeout)},
		{"queue.priorityLevels", int64(s.Queue.PriorityLevels)}, {"queue.defaultPriority", int64(s.Queue.DefaultPriority)},
		{"instances.count", int64(s.Instances.Count)}, {"instances.intraOpThreads", int64(s.Instances.IntraOpThreads)},
	} {
		if n.value < 0 {
			wrong("%s: must not be negative, is %d", n.key, n.value)
		}
	}
	b := s.Batching
	if b.MaxBatchSize < 2 && (len(b.PreferredBatchSizes) > 0 || b.MaxQueueDelay > 0) {
		wrong("batching.preferredBatchSizes and batching.maxQueueDelay: nothing is batched with batching.maxBatchSize %d; set it to 2 or more, or remove them", b.MaxBatchSize)
	}
	for _, size := range b.PreferredBatchSizes {
		if size < 1 || size > b.MaxBatchSize && b.MaxBatchSize > 1 {
			wrong("batching.preferredBatchSizes: %d is not from 1 to batching.maxBatchSize, which is %d", size, b.MaxBatchSize)
		}
	}
	if s.Queue.DefaultPriority > s.Queue.PriorityLevels {
		wrong("queue.defaultPriority: is %d, queue.priorityLevels is %d", s.Queue.DefaultPriority, s.Queue.PriorityLevels)
	}
	if v := s.Versions.Specific; slices.ContainsFunc(v, func(n int64) bool { return n < 1 }) {
		wrong("versions.specific: versions are positive whole numbers")
	}
	for i, w := range s.WarmUp {
		if w.BatchSize < 0 || w.Count < 0 {
			wrong("warmUp[%d]: batchSize and count must not be negative", i)
		}
		for name, in := range w.Inputs {
			if _, err := tensor.Count(in.Dims); err != nil {
				wrong("warmUp[%d].inputs.%s.dims: %w", i, name, err)
			}
		}
	}
	return errors.Join(all...)
}
