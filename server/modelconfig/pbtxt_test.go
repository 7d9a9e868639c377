package modelconfig_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/modelconfig"
	"slipway/server/tensor"
)

const everyField = `
# A model of Triton's.
name: "iris"
platform: "onnxruntime_onnx"
backend: 'onnxruntime'
default_model_filename: "model.onnx"
max_batch_size: 8
input [
  {
    name: "x"
    data_type: TYPE_FP32
    format: FORMAT_NCHW
    dims: [ 3, -1 ]
  },
  { name: "words" data_type: TYPE_STRING dims: 1 dims: 2 }
]
output: { name: "y", data_type: TYPE_INT64; dims: [ 1 ] }
dynamic_batching {
  preferred_batch_size: [ 4, 8 ]
  max_queue_delay_microseconds: 500
  preserve_ordering: false
  priority_levels: 3
  default_priority_level: 2
  default_queue_policy <
    timeout_action: REJECT
    default_timeout_microseconds: 2000000
    allow_timeout_override: true
    max_queue_size: 10
  >
}
instance_group [ { count: 2 kind: KIND_CPU }, { name: "more" } ]
version_policy: { specific { versions: [ 1, 3 ] } }
model_warmup [
  {
    name: "two " "rows"
    batch_size: 2
    count: 3
    inputs { key: "x" value: { data_type: TYPE_FP32 dims: [ 3, 0x10 ] random_data: true } }
    inputs { key: "words" value { data_type: TYPE_STRING dims: [ 1, 2 ] zero_data: true } }
  }
]
parameters { key: "intra_op_thread_count" value: { string_value: "2" } }
parameters { key: "enable_mem_arena" value: { string_value: "1" } }
`

func TestParsePBTXT(t *testing.T) {
	got, err := modelconfig.ParsePBTXT([]byte(everyField), "iris")
	require.NoError(t, err)
	assert.Equal(t, modelconfig.Config{
		Batching:  modelconfig.Batching{MaxBatchSize: 8, PreferredBatchSizes: []int{4, 8}, MaxQueueDelay: 500 * time.Microsecond},
		Queue:     modelconfig.Queue{MaxRequests: 10, MaxBytes: 256 << 20, Timeout: 2 * time.Second, PriorityLevels: 3, DefaultPriority: 2},
		Instances: modelconfig.Instances{Count: 3, IntraOpThreads: 2},
		Versions:  modelconfig.Versions{Specific: []int64{1, 3}},
		Memory:    modelconfig.Memory{Arena: true},
		WarmUp: []modelconfig.WarmUp{{Name: "two rows", BatchSize: 2, Count: 3, Inputs: map[string]modelconfig.WarmUpInput{
			"x":     {DType: tensor.FP32, Dims: []int64{3, 16}, Random: true},
			"words": {DType: tensor.Bytes, Dims: []int64{1, 2}},
		}}},
		Declared: []modelconfig.Declared{
			{Name: "x", DType: tensor.FP32, Dims: []int64{-1, 3, -1}, Input: true},
			{Name: "words", DType: tensor.Bytes, Dims: []int64{-1, 1, 2}, Input: true},
			{Name: "y", DType: tensor.Int64, Dims: []int64{-1, 1}},
		},
	}, got)
}

func TestParsePBTXTFollowsTriton(t *testing.T) {
	with := func(change func(s *modelconfig.Config)) modelconfig.Config {
		s := modelconfig.Default()
		change(&s)
		return s
	}
	for name, test := range map[string]struct {
		text string
		want modelconfig.Config
	}{
		"an empty document":                    {"", modelconfig.Default()},
		"a comment at the end":                 {"# nothing", modelconfig.Default()},
		"no batching without dynamic_batching": {"max_batch_size: 8", modelconfig.Default()},
		"only dynamic_batching": {"max_batch_size: 8 dynamic_batching {}", with(func(s *modelconfig.Config) {
			s.Batching.MaxBatchSize = 8
		})},
		"an unbounded queue gets the default bound": {"dynamic_batching { default_queue_policy { max_queue_size: 0 } }", modelconfig.Default()},
		"no timeout": {"dynamic_batching { default_queue_policy { default_timeout_microseconds: 0 } }", with(func(s *modelconfig.Config) {
			s.Queue.Timeout = 0
		})},
		"one instance": {"instance_group { kind: KIND_AUTO }", with(func(s *modelconfig.Config) { s.Instances.Count = 1 })},
		"latest":       {"version_policy { latest { } }", modelconfig.Default()},
		"latest two":   {"version_policy { latest { num_versions: 2 } }", with(func(s *modelconfig.Config) { s.Versions.Latest = 2 })},
		"all":          {"version_policy { all { } }", with(func(s *modelconfig.Config) { s.Versions = modelconfig.Versions{All: true} })},
		"the complete shape without max_batch_size": {`input { name: "x" data_type: TYPE_BF16 dims: [ - 1, 2 ] }`, with(func(s *modelconfig.Config) {
			s.Declared = []modelconfig.Declared{{Name: "x", DType: tensor.BF16, Dims: []int64{-1, 2}, Input: true}}
		})},
		"dims left open": {`max_batch_size: 1 output { name: "y" data_type: TYPE_BOOL dims: [] }`, with(func(s *modelconfig.Config) {
			s.Declared = []modelconfig.Declared{{Name: "y", DType: tensor.Bool}}
		})},
		"an input with a default": {`input { name: "scale" data_type: TYPE_FP32 dims: [ 1 ] optional: true }`, with(func(s *modelconfig.Config) {
			s.Declared = []modelconfig.Declared{{Name: "scale", DType: tensor.FP32, Dims: []int64{1}, Input: true, Optional: true}}
		})},
		"refused fields at their defaults": {`input { name: "\x78" data_type: TYPE_FP32 optional: false } default_model_filename: "model.\157nnx"`, with(func(s *modelconfig.Config) {
			s.Declared = []modelconfig.Declared{{Name: "x", DType: tensor.FP32, Input: true}}
		})},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := modelconfig.ParsePBTXT([]byte(test.text), "iris")
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
}

func TestParsePBTXTRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"another name":                {`name: "rose"`, []string{`name: is "rose"`, "iris"}},
		"another backend":             {"\nbackend: \"python\"", []string{`backend: is "python"`, "ONNX"}},
		"another platform":            {`platform: "tensorrt_plan"`, []string{"platform", "onnxruntime_onnx"}},
		"another file":                {`default_model_filename: "m.onnx"`, []string{"default_model_filename", "rename"}},
		"unknown field":               {"max_batch_size: 1\nmax_batch: 2", []string{"line 2", "max_batch", "unknown"}},
		"unknown field in a list":     {"input [\n {\n  name: \"x\"\n  type: 2 } ]", []string{"line 4", `at "type"`, "unknown"}},
		"repeated field":              {"max_batch_size: 1\nmax_batch_size: 2", []string{"line 2", "max_batch_size", "repeated"}},
		"a GPU":                       {"instance_group {\n kind: KIND_GPU }", []string{"instance_group[0].kind: is KIND_GPU", "CPU"}},
		"GPUs":                        {"instance_group { gpus: [ 0 ] }", []string{"instance_group.gpus", "CPU"}},
		"an ensemble":                 {"ensemble_scheduling { step [] }", []string{"ensemble_scheduling", "merge"}},
		"sequences":                   {"sequence_batching {}", []string{"sequence_batching", "state"}},
		"optimization":                {"optimization { graph { level: 1 } }", []string{"optimization", "remove"}},
		"a late request delayed":      {"dynamic_batching { default_queue_policy { timeout_action: DELAY } }", []string{"dynamic_batching.default_queue_policy.timeout_action", "REJECT"}},
		"timeouts without override":   {"dynamic_batching { default_queue_policy { allow_timeout_override: false } }", []string{"allow_timeout_override"}},
		"ordered responses":           {"dynamic_batching { preserve_ordering: true }", []string{"preserve_ordering"}},
		"queues by priority":          {"dynamic_batching { priority_queue_policy { key: 1 } }", []string{"priority_queue_policy", "default_queue_policy"}},
		"preferred over the maximum":  {"max_batch_size: 4 dynamic_batching { preferred_batch_size: [ 8 ] }", []string{"dynamic_batching.preferred_batch_size", "max_batch_size, which is 4"}},
		"delay without a maximum":     {"dynamic_batching { max_queue_delay_microseconds: 5 }", []string{"dynamic_batching.max_queue_delay_microseconds", "max_batch_size 0"}},
		"priority without levels":     {"dynamic_batching { default_priority_level: 1 }", []string{"default_priority_level", "priority_levels"}},
		"two version policies":        {"version_policy { latest {} all {} }", []string{"line 1, column 28", `at "all"`, "keep one"}},
		"no version policy":           {"version_policy {}", []string{"version_policy", "latest, all, specific"}},
		"no specific version":         {"version_policy { specific {} }", []string{"version_policy.specific"}},
		"version zero":                {"version_policy { specific { versions: 0 } }", []string{"version_policy.specific.versions"}},
		"reshape":                     {"input { reshape { shape: [] } }", []string{"input.reshape", "remove"}},
		"labels":                      {`output { label_filename: "labels.txt" }`, []string{"output.label_filename", "remove"}},
		"an input without name":       {"input { data_type: TYPE_FP32 }", []string{"input", "name"}},
		"an input without type":       {`input { name: "x" dims: 1 }`, []string{"input", "data_type"}},
		"a type of the protocol":      {"input { data_type: FP32 }", []string{`at "data_type"`, "TYPE_FP32"}},
		"bytes":                       {"input { data_type: TYPE_BYTES }", []string{"TYPE_STRING"}},
		"dims":                        {`input { name: "x" data_type: TYPE_FP32 dims: -2 }`, []string{"input", "-2"}},
		"a warm-up from a file":       {`model_warmup { inputs { key: "x" value { input_data_file: "raw" } } }`, []string{"model_warmup.inputs.value.input_data_file", "golden.ndjson"}},
		"a warm-up of both":           {`model_warmup { inputs { key: "x" value { zero_data: true random_data: true } } }`, []string{`at "random_data"`, "keep one"}},
		"a warm-up of neither":        {`model_warmup { inputs { key: "x" value { dims: 1 } } }`, []string{"zero_data or random_data"}},
		"a warm-up without key":       {`model_warmup { inputs { value { zero_data: true } } }`, []string{"model_warmup.inputs", "key"}},
		"a warm-up without value":     {`model_warmup { inputs { key: "x" } }`, []string{"model_warmup.inputs", "value"}},
		"a warm-up's open dims":       {`model_warmup { inputs { key: "x" value { dims: -1 zero_data: true } } }`, []string{"model_warmup[0].inputs.x.dims"}},
		"a warm-up's input twice":     {`model_warmup { inputs { key: "x" value { zero_data: true } } inputs { key: "x" value { zero_data: true } } }`, []string{`"x" is given twice`}},
		"another parameter":           {`parameters { key: "execution_mode" value { string_value: "0" } }`, []string{"execution_mode", "intra_op_thread_count"}},
		"a parameter twice":           {strings.Repeat(`parameters { key: "intra_op_thread_count" value { string_value: "1" } }`, 2), []string{"twice"}},
		"threads that are no number":  {`parameters { key: "intra_op_thread_count" value { string_value: "two" } }`, []string{`"two"`}},
		"an arena of neither 0 nor 1": {`parameters { key: "enable_mem_arena" value { string_value: "yes" } }`, []string{`"yes"`}},
		"a text for a number":         {`max_batch_size: "8"`, []string{"max_batch_size", "int32"}},
		"a fraction":                  {"max_batch_size: 8.5", []string{"max_batch_size", "8.5"}},
		"a binary number":             {"max_batch_size: 0b1", []string{"max_batch_size", "0b1"}},
		"a word for a text":           {"model_warmup { name: one }", []string{`at "name"`, "string"}},
		"a number for a message":      {"dynamic_batching: 1", []string{`at "dynamic_batching"`}},
		"beyond 32 bits":              {"max_batch_size: 4294967296", []string{"max_batch_size"}},
		"beyond 64 bits":              {"max_batch_size: 99999999999999999999", []string{"max_batch_size"}},
		"a delay that overflows":      {"max_batch_size: 2 dynamic_batching { max_queue_delay_microseconds: 9223372036854775807 }", []string{"microseconds"}},
		"not closed":                  {"input {\n", []string{"not closed"}},
		"closed by another":           {"input { >", []string{"'>'"}},
		"closed twice":                {"input { } }", []string{"field name: }"}},
		"a list not closed":           {"dims: [ 1 2 ]", []string{`at "dims"`}},
		"no colon":                    {"max_batch_size 8", []string{`at "max_batch_size"`, ":"}},
		"no value":                    {"max_batch_size: }", []string{"max_batch_size", "value"}},
		"a text not closed":           {"name: \"iris\n\"", []string{"invalid character", `at "name"`}},
		"a text to the end":           {`name: "iris`, []string{"quotation mark is not closed"}},
		"a wrong escape":              {`name: "\q"`, []string{"escape"}},
		"an octal beyond a byte":      {`name: "\777"`, []string{"escape"}},
		"half a surrogate":            {`name: "\ud800"`, []string{"not closed"}},
		"a backslash at the end":      {`name: "\`, []string{"not closed"}},
		"an extension":                {"[a.b]: 1", []string{"[a.b]"}},
		"a NUL":                       {"max_batch_size: 1\n\x00name: 2", []string{"line 2"}},
		"nested without end":          {strings.Repeat("input {", 100), []string{"unknown field"}},
		"the line within a list":      {"input { dims: [\n1,\n# two\nx ] }", []string{"line 4", "int64"}},
		"the line after a remark":     {"# one\n# two\nx: 1", []string{"line 3", `at "x"`}},
		"two unknown fields":          {"a: 1\nb: 2", []string{"line 1", `at "a"`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := modelconfig.ParsePBTXT([]byte(test.text), "iris")
			for _, part := range test.want {
				require.ErrorContains(t, err, part)
			}
		})
	}
}

func FuzzConfigPBTXT(f *testing.F) {
	f.Add(everyField)
	f.Add(`name: "a\x41\101\u00e9\n" "b" # c`)
	f.Add("version_policy < latest { num_versions: 0x1 } >; instance_group [ { count: - 1 } ]")
	f.Add("input [ { dims: [1, 2e+3, inf] }, ]")
	f.Fuzz(func(t *testing.T, body string) {
		s, err := modelconfig.ParsePBTXT([]byte(body), "iris")
		if err != nil {
			assert.Contains(t, err.Error(), ": ")
			return
		}
		checkConfig(t, s)
	})
}
