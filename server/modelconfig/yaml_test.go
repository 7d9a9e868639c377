package modelconfig_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/modelconfig"
	"slipway/server/tensor"
)

const everyKey = `
batching: {maxBatchSize: 8, preferredBatchSizes: [4, 8], maxQueueDelay: 500us}
queue: {maxRequests: 10, maxBytes: 1Mi, timeout: 2s, priorityLevels: 3, defaultPriority: 2}
instances: {count: 2, intraOpThreads: 1}
versions: {latest: 2}
memory: {arena: true}
warmUp:
  - name: two rows
    batchSize: 2
    count: 3
    inputs:
      x: {datatype: FP32, dims: [4], random: true}
      y: {dims: [1, 2]}
`

func everyValue() modelconfig.Config {
	return modelconfig.Config{
		Batching:  modelconfig.Batching{MaxBatchSize: 8, PreferredBatchSizes: []int{4, 8}, MaxQueueDelay: 500 * time.Microsecond},
		Queue:     modelconfig.Queue{MaxRequests: 10, MaxBytes: 1 << 20, Timeout: 2 * time.Second, PriorityLevels: 3, DefaultPriority: 2},
		Instances: modelconfig.Instances{Count: 2, IntraOpThreads: 1},
		Versions:  modelconfig.Versions{Latest: 2},
		Memory:    modelconfig.Memory{Arena: true},
		WarmUp: []modelconfig.WarmUp{{Name: "two rows", BatchSize: 2, Count: 3, Inputs: map[string]modelconfig.WarmUpInput{
			"x": {DType: tensor.FP32, Dims: []int64{4}, Random: true},
			"y": {Dims: []int64{1, 2}},
		}}},
	}
}

func TestParseYAML(t *testing.T) {
	with := func(change func(s *modelconfig.Config)) modelconfig.Config {
		s := modelconfig.Default()
		change(&s)
		return s
	}
	for name, test := range map[string]struct {
		text string
		want modelconfig.Config
	}{
		"an empty document":         {"", modelconfig.Default()},
		"comments only":             {"# nothing\n", modelconfig.Default()},
		"sections without contents": {"batching:\nqueue:\ninstances:\nversions:\nmemory:\nwarmUp:\n", modelconfig.Default()},
		"every key":                 {everyKey, everyValue()},
		"one key of a section": {"queue: {priorityLevels: 2}", with(func(s *modelconfig.Config) {
			s.Queue.PriorityLevels = 2
		})},
		"no queue and no timeout": {"queue: {maxRequests: 0, maxBytes: 0, timeout: 0s}", with(func(s *modelconfig.Config) {
			s.Queue = modelconfig.Queue{}
		})},
		"plain bytes":   {"queue: {maxBytes: 12} # twelve\n", with(func(s *modelconfig.Config) { s.Queue.MaxBytes = 12 })},
		"Gi and remark": {"queue:\n  maxBytes: 2Gi # two\n", with(func(s *modelconfig.Config) { s.Queue.MaxBytes = 2 << 30 })},
		"quoted Ki":     {`queue: {maxBytes: "3Ki"}`, with(func(s *modelconfig.Config) { s.Queue.MaxBytes = 3 << 10 })},
		"all":           {"versions: {all: true}", with(func(s *modelconfig.Config) { s.Versions = modelconfig.Versions{All: true} })},
		"specific": {"versions: {specific: [1, 3]}", with(func(s *modelconfig.Config) {
			s.Versions = modelconfig.Versions{Specific: []int64{1, 3}}
		})},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := modelconfig.ParseYAML([]byte(test.text))
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
}

func TestParseYAMLRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"unknown section":            {"batching: {}\nbatchingg: {}\n", []string{"2:1", `batchingg: unknown key`}},
		"unknown key":                {"queue:\n  maxRequest: 1\n", []string{"2:3", `maxRequest: unknown key`}},
		"unknown key of a warm-up":   {"warmUp:\n  - batch: 1\n", []string{"2:5", `batch: unknown key`}},
		"repeated key":               {"memory: {}\nmemory: {}\n", []string{"2:1", `"memory" already defined`}},
		"wrong type":                 {"batching:\n  maxBatchSize: many\n", []string{"2:17"}},
		"not YAML":                   {"a: [", []string{"1:"}},
		"a list":                     {"- 1\n", []string{"1:"}},
		"two documents":              {"memory: {}\n---\nmemory: {}\n", []string{"more than one YAML document"}},
		"invalid bytes":              {"queue:\n  maxBytes: 12MB\n", []string{"queue.maxBytes", `"12MB"`, "256Mi"}},
		"negative bytes":             {"queue: {maxBytes: -1}", []string{"queue.maxBytes"}},
		"bytes that overflow":        {"queue: {maxBytes: 9223372036854775807Ki}", []string{"queue.maxBytes"}},
		"negative":                   {"batching: {maxBatchSize: -1}", []string{"batching.maxBatchSize"}},
		"negative timeout":           {"queue: {timeout: -1s}", []string{"queue.timeout"}},
		"preferred over the maximum": {"batching: {maxBatchSize: 4, preferredBatchSizes: [8]}", []string{"batching.preferredBatchSizes", "8", "batching.maxBatchSize"}},
		"preferred size zero":        {"batching: {maxBatchSize: 4, preferredBatchSizes: [0]}", []string{"batching.preferredBatchSizes"}},
		"preferred without batching": {"batching: {preferredBatchSizes: [8]}", []string{"batching.preferredBatchSizes", "batching.maxBatchSize 0"}},
		"delay without batching":     {"batching: {maxQueueDelay: 1ms}", []string{"batching.maxQueueDelay", "batching.maxBatchSize 0"}},
		"delay over the timeout":     {"batching: {maxBatchSize: 4, maxQueueDelay: 1s}\nqueue: {timeout: 1s}", []string{"batching.maxQueueDelay", "queue.timeout"}},
		"priority without levels":    {"queue: {defaultPriority: 1}", []string{"queue.defaultPriority", "queue.priorityLevels"}},
		"too many levels":            {"queue: {priorityLevels: 1000000000}", []string{"queue.priorityLevels"}},
		"latest and all":             {"versions: {latest: 1, all: true}", []string{"versions.latest and versions.all"}},
		"all and specific":           {"versions: {specific: [1], all: true}", []string{"versions.all and versions.specific"}},
		"latest zero":                {"versions: {latest: 0}", []string{"versions.latest"}},
		"no specific version":        {"versions: {specific: []}", []string{"versions.specific"}},
		"version zero":               {"versions: {specific: [0]}", []string{"versions.specific"}},
		"a warm-up's type":           {"warmUp: [{inputs: {x: {datatype: float}}}]", []string{"warmUp[0].inputs.x.datatype", `"float"`}},
		"a warm-up's dims":           {"warmUp: [{inputs: {x: {dims: [-1]}}}]", []string{"warmUp[0].inputs.x.dims"}},
		"a warm-up's count":          {"warmUp: [{}, {count: -1}]", []string{"warmUp[1]"}},
		"two errors":                 {"queue: {timeout: -1s}\ninstances: {count: -1}", []string{"queue.timeout", "instances.count"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := modelconfig.ParseYAML([]byte(test.text))
			for _, part := range test.want {
				require.ErrorContains(t, err, part)
			}
		})
	}
}

func FuzzConfigYAML(f *testing.F) {
	f.Add([]byte(everyKey))
	f.Add([]byte("versions: {specific: [1, 2]}\nqueue: {maxBytes: 1Gi}"))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("batching:\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := modelconfig.ParseYAML(body)
		if err != nil {
			assert.NotEmpty(t, err.Error())
			return
		}
		checkConfig(t, s)
	})
}

// checkConfig checks the invariants that serving relies on.
func checkConfig(t *testing.T, s modelconfig.Config) {
	t.Helper()
	assert.GreaterOrEqual(t, s.Queue.MaxBytes, int64(0))
	assert.GreaterOrEqual(t, s.Queue.Timeout, time.Duration(0))
	assert.LessOrEqual(t, s.Queue.DefaultPriority, s.Queue.PriorityLevels)
	assert.True(t, s.Versions.All || len(s.Versions.Specific) > 0 || s.Versions.Latest > 0)
	for _, size := range s.Batching.PreferredBatchSizes {
		assert.LessOrEqual(t, size, s.Batching.MaxBatchSize)
	}
}
