package modelconfig_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/modelconfig"
)

// parse reads a text in one of the two formats.
func parse(text string, yaml bool) error {
	if yaml {
		_, err := modelconfig.ParseYAML([]byte(text))
		return err
	}
	_, err := modelconfig.ParsePBTXT([]byte(text), "m")
	return err
}

// Each number has a bound, which passes, and one more does not: the error names the
// key, the value and the bound.
func TestEveryNumberHasABound(t *testing.T) {
	list := func(n int) string { return "[" + strings.TrimSuffix(strings.Repeat("1, ", n), ", ") + "]" }
	const batch = "max_batch_size: 65536 dynamic_batching "
	warm := func(input string) string {
		return `model_warmup { inputs { key: "x" value { zero_data: true ` + input + ` } } }`
	}
	for name, test := range map[string]struct {
		yaml bool
		text string // with %s for the value
		most any
		more any
		want []string
	}{
		"batch size":                {true, "batching: {maxBatchSize: %v}", 1 << 16, 1 << 62, []string{"batching.maxBatchSize: is 4611686018427387904 and must be at most 65536"}},
		"batch size, Triton's":      {false, "max_batch_size: %v dynamic_batching {}", 1 << 16, 1<<31 - 1, []string{"max_batch_size: is 2147483647 and must be at most 65536"}},
		"preferred sizes":           {true, "batching: {maxBatchSize: 2, preferredBatchSizes: %v}", list(64), list(65), []string{"batching.preferredBatchSizes count: is 65"}},
		"preferred sizes, Triton's": {false, batch + "{ preferred_batch_size: %v }", list(64), list(65), []string{"preferred_batch_size count: is 65"}},
		"delay":                     {true, "batching: {maxBatchSize: 2, maxQueueDelay: %v}\nqueue: {timeout: 1h}", "1m", "61s", []string{"batching.maxQueueDelay: is 1m1s and must be at most 1m0s"}},
		"delay, Triton's": {false, batch + "{ max_queue_delay_microseconds: %v default_queue_policy { default_timeout_microseconds: 3600000000 } }",
			60_000_000, 60_000_001, []string{"max_queue_delay_microseconds: is 1m0.000001s"}},
		"waiting requests":           {true, "queue: {maxRequests: %v}", 1 << 20, 1 << 40, []string{"queue.maxRequests: is 1099511627776"}},
		"waiting requests, Triton's": {false, batch + "{ default_queue_policy { max_queue_size: %v } }", 1 << 20, 1<<32 - 1, []string{"max_queue_size: is 4294967295"}},
		"waiting bytes":              {true, "queue: {maxBytes: %v}", "1024Gi", "1025Gi", []string{"queue.maxBytes: is 1100585369600"}},
		"timeout":                    {true, "queue: {timeout: %v}", "24h", "24h1ns", []string{"queue.timeout: is 24h0m0.000000001s and must be at most 24h0m0s"}},
		"timeout, Triton's": {false, batch + "{ default_queue_policy { default_timeout_microseconds: %v } }",
			24 * time.Hour.Microseconds(), 9223372036854775, []string{"default_timeout_microseconds: is 2562047h"}},
		"levels":              {true, "queue: {priorityLevels: %v}", 100, 101, []string{"queue.priorityLevels: is 101 and must be at most 100"}},
		"levels, Triton's":    {false, batch + "{ priority_levels: %v }", 100, 1<<31 - 1, []string{"priority_levels: is 2147483647"}},
		"priority":            {true, "queue: {priorityLevels: 100, defaultPriority: %v}", 100, 1 << 40, []string{"queue.defaultPriority: is 1099511627776"}},
		"priority, Triton's":  {false, batch + "{ priority_levels: 100 default_priority_level: %v }", 100, 101, []string{"default_priority_level: is 101"}},
		"instances":           {true, "instances: {count: %v}", 1024, 1 << 60, []string{"instances.count: is 1152921504606846976 and must be at most 1024"}},
		"instances, Triton's": {false, "instance_group { count: 1 } instance_group { count: %v }", 1023, 1<<31 - 1, []string{"instance_group.count: is 2147483648"}},
		"threads":             {true, "instances: {intraOpThreads: %v}", 1024, 1<<31 - 1, []string{"instances.intraOpThreads: is 2147483647"}},
		"threads, Triton's": {false, `parameters { key: "intra_op_thread_count" value { string_value: "%v" } }`,
			1024, 1 << 40, []string{"parameters.intra_op_thread_count: is 1099511627776"}},
		"latest":                    {true, "versions: {latest: %v}", 1000, 1 << 40, []string{"versions.latest: is 1099511627776"}},
		"latest, Triton's":          {false, "version_policy { latest { num_versions: %v } }", 1000, 1<<32 - 1, []string{"num_versions: is 4294967295"}},
		"named versions":            {true, "versions: {specific: %v}", list(1000), list(1001), []string{"versions.specific count: is 1001"}},
		"named versions, Triton's":  {false, "version_policy { specific { versions: %v } }", list(1000), list(1001), []string{"versions count: is 1001"}},
		"version":                   {true, "versions: {specific: [%v]}", int64(1<<63 - 1), uint64(1 << 63), []string{"9223372036854775808"}},
		"warm-ups":                  {true, "%v", "warmUp: " + strings.ReplaceAll(list(100), "1", "{}"), "warmUp: " + strings.ReplaceAll(list(101), "1", "{}"), []string{"warmUp count: is 101"}},
		"warm-ups, Triton's":        {false, "%v", strings.Repeat("model_warmup {} ", 100), strings.Repeat("model_warmup {} ", 101), []string{"model_warmup count: is 101"}},
		"warm-up's count":           {true, "warmUp: [{}, {count: %v}]", 1000, 1 << 40, []string{"warmUp[1] count: is 1099511627776"}},
		"warm-up's count, Triton's": {false, "model_warmup { count: %v }", 1000, 1<<32 - 1, []string{"model_warmup[0] count: is 4294967295"}},
		"warm-up's rows":            {true, "warmUp: [{batchSize: %v}]", 1 << 16, 1 << 40, []string{"warmUp[0] batch size: is 1099511627776"}},
		"warm-up's rows, Triton's":  {false, "model_warmup { batch_size: %v }", 1 << 16, 1<<32 - 1, []string{"model_warmup[0] batch size: is 4294967295"}},
		"warm-up's bytes":           {true, "warmUp: [{inputs: {x: {datatype: FP32, dims: [%v]}}}]", 1 << 28, 1 << 40, []string{"warmUp bytes of inputs: is 4398046511104 and must be at most 1073741824"}},
		"warm-up's bytes, Triton's": {false, warm("data_type: TYPE_FP32 dims: %v"), 1 << 28, 1 << 40, []string{"model_warmup bytes of inputs: is 4398046511104"}},
		"warm-up's bytes with a batch": {true, "warmUp: [{batchSize: 65536, inputs: {x: {datatype: INT8, dims: [%v]}}}]",
			1 << 14, 1 << 15, []string{"warmUp bytes of inputs: is 2147483648"}},
		"warm-up's bytes of all inputs": {true, "warmUp: [{inputs: {x: {datatype: INT8, dims: [1073741823]}}}, {inputs: {y: {datatype: INT8, dims: [%v]}}}]",
			1, 2, []string{"warmUp bytes of inputs: is 1073741825"}},
		"warm-up's elements":    {true, "warmUp: [{inputs: {x: {dims: [1073741824, 1073741824, %v]}}}]", 0, 1 << 40, []string{"warmUp[0].inputs.x.dims", "overflows"}},
		"warm-up's dimensions":  {true, "warmUp: [{inputs: {x: {dims: %v}}}]", list(32), list(33), []string{"warmUp[0].inputs.x.dims count: is 33"}},
		"warm-up's, Triton's":   {false, warm("dims: %v"), list(32), list(33), []string{"model_warmup[0].inputs.x.dims count: is 33"}},
		"negative instances":    {true, "instances: {count: %v}", 0, -1, []string{"instances.count: is -1 and must not be negative"}},
		"warm-up's rows, below": {true, "warmUp: [{batchSize: %v}]", 0, -1, []string{"warmUp[0] batch size: is -1"}},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, parse(fmt.Sprintf(test.text, test.most), test.yaml))
			err := parse(fmt.Sprintf(test.text, test.more), test.yaml)
			for _, part := range test.want {
				require.ErrorContains(t, err, part)
			}
		})
	}
}

// A file of the largest size that is read takes a short time, whatever it has, and
// its error has a bound.
func TestNoTextTakesLong(t *testing.T) {
	const size = 256 << 10
	fill := func(begin, repeated string) string {
		return begin + strings.Repeat(repeated, (size-len(begin))/len(repeated))
	}
	var bomb, keys strings.Builder
	bomb.WriteString("a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n")
	for i := 'b'; i < 'n'; i++ {
		fmt.Fprintf(&bomb, "%c: &%[1]c [*%[2]c, *%[2]c, *%[2]c, *%[2]c, *%[2]c, *%[2]c, *%[2]c, *%[2]c]\n", i, i-1)
	}
	for i := range 100_000 {
		fmt.Fprintf(&keys, "k%d: 1\n", i)
	}
	for name, text := range map[string]string{
		"flow sequences": fill("warmUp: ", "["), "flow maps": fill("warmUp: ", "{a: "), "sequences": fill("", "- "), "keys of keys": fill("", "? "),
		"anchors": fill("a: ", "&a "), "tags": fill("a: ", "!!str "), "aliases": fill("a: &a 1\nb: [", "*a, "), "bomb": bomb.String(), "maps": fill("a: ", "a: "),
		"a list": fill("versions: {specific: [", "1, ") + "1]}", "lines": fill("a:\n", "- 1\n"), "keys": keys.String(), "documents": fill("", "---\n"),
		"quotation marks": fill("a: ", `"`), "apostrophes": fill("a: ", "'"), "a literal": fill("a: |\n", " x\n"), "folded": fill("a: >\n", " x\n\n"),
		"comments": fill("", "# x\n"), "spaces": fill("a: ", " "), "lines without": fill("a: ", "\n"), "escapes": fill(`a: "`, `\x41`) + `"`,
		"plain lines": fill("a: x\n", " x\n"), "commas": fill("a: [", ","), "tabs": fill("a:", "\t"), "directives": fill("", "%YAML 1.2\n"), "a word": fill("a: ", "a"),
		"number": fill("instances: {count: ", "1") + "}", "colons": fill("", ":"), "returns": fill("a: ", "\r"), "bangs": fill("", "!"),
		"brackets":    fill("", "}"),
		"messages":    fill("", "input {"),
		"lists":       fill("", "input [ "),
		"entries":     fill("", `parameters { key: "a" value {} } `),
		"one entry":   fill("", `parameters { } `),
		"inputs":      fill("", "input { } "),
		"warm-ups":    fill("", "model_warmup { inputs { } } "),
		"instances":   fill("", "instance_group { gpus: 1 } "),
		"dims":        fill(`input { name: "x" data_type: TYPE_FP32 dims: [ 1`, ", 1") + "] }",
		"versions":    fill(`version_policy { specific { versions: [ 1`, ", 1") + "] } }",
		"strings":     fill(`name: `, `"a" `),
		"angles":      fill("", "input <"),
		"extensions":  fill("", "[a.b]: 1 "),
		"reshape":     fill("", "input { reshape { } } "),
		"a long name": fill("", "a") + ": 1",
	} {
		for _, yaml := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s yaml=%v", name, yaml), func(t *testing.T) {
				text := text
				if yaml {
					text = text[:min(len(text), 64<<10)]
				}
				began := time.Now()
				err := parse(text, yaml)
				if took := time.Since(began); took > 20*time.Second {
					t.Errorf("took %s", took)
				}
				if err != nil {
					assert.Less(t, len(err.Error()), 3000)
				}
			})
		}
	}
}
