package golden_test

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/golden"
	"slipway/server/tensor"
)

var (
	inputs  = []tensor.Spec{{Name: "x", DType: tensor.FP32, Shape: []int64{-1, 2}}}
	outputs = []tensor.Spec{
		{Name: "label", DType: tensor.Int64, Shape: []int64{-1}},
		{Name: "scores", DType: tensor.FP32, Shape: []int64{-1, 3}},
		{Name: "maps", Kind: tensor.KindSequence},
	}
)

const (
	request  = `{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}`
	response = `{"model_name":"m","model_version":"1","outputs":[` +
		`{"name":"label","datatype":"INT64","shape":[1],"data":[7]},` +
		`{"name":"scores","datatype":"FP32","shape":[1,3],"data":[[0.1,"NaN",0.7]]},` +
		`{"name":"maps","datatype":"BYTES","shape":[1],"parameters":{"content_type":"json"},"data":["{\"0\":0.25,\"1\":1}"]}]}`
)

func one[T tensor.Element](t testing.TB, shape []int64, data ...T) *tensor.Tensor {
	t.Helper()
	made, err := tensor.New(shape, data)
	require.NoError(t, err)
	return made
}

// outputsOf returns the outputs that a session has for request.
func outputsOf(t testing.TB) []tensor.Named {
	t.Helper()
	return []tensor.Named{
		{Name: "scores", Value: one(t, []int64{1, 3}, float32(.1), float32(math.NaN()), float32(.7))},
		{Name: "label", Value: one(t, []int64{1}, int64(7))},
		{Name: "maps", Value: tensor.Sequence{tensor.Map{Keys: one[int64](t, []int64{2}, 1, 0), Values: one[float32](t, []int64{2}, 1, .25)}}},
	}
}

func TestReadAndCheck(t *testing.T) {
	file := golden.AppendLine(nil, []byte(request), []byte(" "+response+"\n"), golden.Tolerance{Absolute: 1e-3}, golden.Recorded{Runtime: "R 1", Threads: 2})
	file = append(file, `{"response":`+response+`,"request":`+request+`}`+"\r\n\n"...)
	cases, err := golden.Read(bytes.NewReader(file), inputs, outputs)
	require.NoError(t, err)
	require.Len(t, cases, 2)
	assert.Equal(t, golden.Tolerance{Absolute: 1e-3}, cases[0].Tolerance)
	assert.Equal(t, golden.DefaultTolerance, cases[1].Tolerance)
	assert.Equal(t, []float32{1, 2}, cases[0].Inputs[0].Value.(*tensor.Tensor).Data)
	assert.Equal(t, golden.Recorded{Runtime: "R 1", Threads: 2}, cases[0].Recorded)
	assert.Zero(t, cases[1].Recorded)
	assert.Nil(t, cases[0].Outputs)
	for _, c := range cases {
		require.NoError(t, c.Check(outputsOf(t)))
	}
	got := outputsOf(t)
	got[2].Value.(tensor.Sequence)[0].(tensor.Map).Values.Data.([]float32)[1] = .3
	assert.ErrorContains(t, cases[1].Check(got), `output "maps"[0]["0"]: got 0.3, want 0.25 (off by 0.05, tolerance 1e-05 + 0.0001 × |want|)`)
}

func TestRecordedOtherThan(t *testing.T) {
	now := golden.Recorded{Runtime: "R 2", Threads: 1}
	for recorded, want := range map[golden.Recorded]string{
		{}:                           "",
		now:                          "",
		{Threads: 1}:                 "",
		{Runtime: "R 2"}:             "",
		{Threads: 2}:                 "recorded with 2 threads and is run with R 2 and 1 thread",
		{Runtime: "R 1"}:             "recorded with R 1 and is run with",
		{Runtime: "R 1", Threads: 1}: "recorded with R 1 and 1 thread and is run with",
	} {
		assert.Contains(t, recorded.OtherThan(now), want)
		assert.Equal(t, want == "", recorded.OtherThan(now) == "")
	}
}

func TestReadNamesTheLineAndTheField(t *testing.T) {
	good := `{"request":` + request + `,"response":` + response + `}`
	for _, test := range []struct{ line, want string }{
		{`{"request":` + request + `}`, `missing key "response"`},
		{`[]`, `line: expected a JSON object`},
		{``, `is empty`},
		{good + "{}", `line: something follows the JSON object`},
		{strings.Replace(good, `"request"`, `"question"`, 1), `line: unknown key, expected one of ["request" "response" "tolerance" "recorded"]`},
		{good[:len(good)-1] + `,"request":{}}`, `line: duplicate key "request"`},
		{good[:len(good)-1], `line: the JSON ends too early`},
		{good[:len(good)-1] + `,"tolerance":{"relativ":1}}`, `tolerance: unknown key, expected`},
		{good[:len(good)-1] + `,"tolerance":{"relative":-1}}`, `tolerance.relative: expected a number of 0 or more`},
		{good[:len(good)-1] + `,"tolerance":{"absolute":null}}`, `tolerance.absolute: expected`},
		{good[:len(good)-1] + `,"recorded":{"by":"me"}}`, `recorded: unknown key, expected`},
		{good[:len(good)-1] + `,"recorded":{"runtime":1}}`, `recorded.runtime: expected a string`},
		{good[:len(good)-1] + `,"recorded":{"threads":-1}}`, `recorded.threads: expected a whole number`},
		{strings.Replace(good, `"x"`, `"y"`, 1), `request: inputs[0].name: unknown input "y", the model has "x"`},
		{strings.Replace(good, `FP32`, `INT8`, 1), `request: inputs[0].data: got datatype INT8, the model wants FP32 for "x"`},
		{strings.Replace(good, `[1,2]`, `[2,1]`, 1), `request: input "x": got shape [2,1], expected [-1,2]`},
		{strings.Replace(good, `{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}`, ``, 1), `request: missing input "x"`},
		{strings.Replace(good, `{"inputs"`, `{"outputs":[{"name":"z"}],"inputs"`, 1), `request: outputs[0].name: unknown output "z", the model has "label", "scores", "maps"`},
		{strings.Replace(good, `{"inputs"`, `{"outputs":[{"name":"label"}],"inputs"`, 1), `response: outputs[1].name: unknown output "scores", expected "label"`},
		{strings.Replace(good, `"label"`, `"scores"`, 1), `response: outputs[0].data: got datatype INT64, the model returns FP32 for "scores"`},
		{strings.Replace(good, `"maps"`, `"label"`, 1), `response: outputs[2].data: got datatype BYTES, the model returns INT64 for "label"`},
		{strings.Replace(good, `{"name":"label","datatype":"INT64","shape":[1],"data":[7]},`, ``, 1), `response: missing output "label"`},
		{strings.Replace(good, `"INT64"`, `"INT65"`, 1), `response: outputs[0].datatype: got "INT65"`},
		{strings.Replace(good, `[7]`, `[7.5]`, 1), `response: outputs[0].data[0]: got the number 7.5, expected a whole number (INT64)`},
		{strings.Replace(good, `[7]`, `[7,8]`, 1), `response: outputs[0].data: got 2 elements, shape [1] has 1`},
		{strings.Replace(good, `[7]`, `[[7],8]`, 1), `response: outputs[0].data[1]: got the number 8, expected an array, as before it`},
		{strings.Replace(good, `[7]`, `[null]`, 1), `response: outputs[0].data[0]: got null`},
		{strings.Replace(good, `,"data":[7]`, ``, 1), `response: outputs[0]: missing key "data"`},
		{strings.Replace(good, `"shape":[1,3]`, `"shape":[3,1]`, 1), `response: outputs[1].data: got arrays nested as [1,3], shape is [3,1]`},
		{strings.Replace(good, `\"1\":1`, `\"1\":`, 1), `response: outputs[2].data[0]: read a JSON document: 1: got "}", expected a number (FP64)`},
		{strings.Replace(good, `"outputs"`, `"output"`, 1), `response: unknown key "output"`},
	} {
		_, err := golden.Read(strings.NewReader(good+"\n"+test.line+"\n"+good), inputs, outputs)
		require.ErrorContains(t, err, "line 2: "+test.want, test.line)
	}
	_, err := golden.Read(strings.NewReader(" \n"), inputs, outputs)
	require.ErrorContains(t, err, "slipway predict --record")
}

// What a file may have has a bound, which is found before more than that is read.
func TestReadIsBounded(t *testing.T) {
	good := string(golden.AppendLine(nil, []byte(request), []byte(response), golden.DefaultTolerance, golden.Recorded{}))
	deep := strings.Repeat("[", 100_000)
	large := strings.TrimSpace(good) + strings.Repeat(" ", 8<<20) + "\n"
	for name, test := range map[string]struct {
		file io.Reader
		want string
	}{
		"a line without end": {io.MultiReader(strings.NewReader(`{"request":"`), endless("x")), "line 1: more than 16777216 bytes"},
		"lines without end":  {io.MultiReader(strings.NewReader(good), endless("\n")), "more than 10000 lines"},
		"a large file":       {endless(large), "more than 67108864 bytes"},
		"too many lines":     {endless(good), "more than 10000 lines"},
		"a deep line":        {strings.NewReader(deep), "line 1"},
		"a deep request":     {strings.NewReader(`{"request":` + deep), "line 1"},
		"a deep response":    {strings.NewReader(strings.Replace(good, "[7]", deep, 1)), "line 1"},
		"deep data":          {strings.NewReader(strings.Replace(good, "[7]", deep[:5000]+strings.Repeat("]", 5000), 1)), "line 1: response"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := golden.Read(test.file, inputs, outputs)
			require.ErrorContains(t, err, test.want)
			assert.Less(t, len(err.Error()), 500)
		})
	}
}

// Three bytes of a line may become a string of sixteen.
func TestReadBoundsTheTensors(t *testing.T) {
	const n = 1 << 20
	line := fmt.Sprintf(`{"request":{"inputs":[{"name":"x","shape":[%d],"datatype":"BYTES","data":[%s""]}]},"response":%s}`+"\n",
		n, strings.Repeat(`"",`, n-1), response)
	_, err := golden.Read(endless(line), []tensor.Spec{{Name: "x", DType: tensor.Bytes, Shape: []int64{-1}}}, outputs)
	assert.ErrorContains(t, err, "more than 268435456 bytes in all")
}

// endless repeats a text without end.
func endless(text string) io.Reader { return &repeated{text: text} }

type repeated struct {
	text string
	at   int
}

func (r *repeated) Read(p []byte) (n int, _ error) {
	for n < len(p) {
		more := copy(p[n:], r.text[r.at:])
		n, r.at = n+more, (r.at+more)%len(r.text)
	}
	return n, nil
}

// A file of secrets that took the place of golden answers is not shown.
func TestReadQuotesNoLine(t *testing.T) {
	for _, file := range []string{"hunter2: admin\n", `"hunter2"`, `{"hunter2": "hunter2"}`, `{"request": hunter2}`, `{"request": {}, "response": {}, "tolerance": "hunter2"}`} {
		_, err := golden.Read(strings.NewReader(file), inputs, outputs)
		require.ErrorContains(t, err, "line 1")
		assert.NotContains(t, err.Error(), "hunter2")
	}
}

func TestEqual(t *testing.T) {
	text := func(all ...string) *tensor.Tensor { return one(t, []int64{int64(len(all))}, all...) }
	for _, test := range []struct {
		name      string
		got, want tensor.Value
		err       string
	}{
		{"near", one[float32](t, []int64{1}, 1.00005), one[float32](t, []int64{1}, 1), ""},
		{"off", one[float32](t, []int64{2, 2}, 1, 1, 1, .5), one[float32](t, []int64{2, 2}, 1, 1, 1, .75), `[1,1]: got 0.5, want 0.75 (off by 0.25, tolerance 1e-05 + 0.0001 × |want|)`},
		{"scalar", one(t, []int64{}, 1.0), one(t, []int64{}, 2.0), `: got 1, want 2 (off by 1,`},
		{"infinite", one(t, []int64{1}, math.Inf(1)), one(t, []int64{1}, math.Inf(1)), ""},
		{"infinite wanted", one(t, []int64{1}, 1.0), one(t, []int64{1}, math.Inf(1)), `[0]: got 1, want +Inf`},
		{"infinite got", one(t, []int64{1}, math.Inf(1)), one(t, []int64{1}, 1.0), `[0]: got +Inf, want 1`},
		{"signs of infinity", one(t, []int64{1}, math.Inf(1)), one(t, []int64{1}, math.Inf(-1)), `[0]: got +Inf, want -Inf`},
		{"no number", one(t, []int64{1}, math.NaN()), one(t, []int64{1}, 1.0), `[0]: got NaN, want 1`},
		{"half", one(t, []int64{1}, tensor.ToFloat16(1)), one(t, []int64{1}, tensor.ToFloat16(2)), `[0]: got 1, want 2`},
		{"brain float as JSON has it", one(t, []int64{1}, tensor.ToBFloat16(1.5)), one[float32](t, []int64{1}, 1.5), ""},
		{"whole numbers are exact", one[int64](t, []int64{1}, 1<<60+1), one[int64](t, []int64{1}, 1<<60), `[0]: got 1152921504606846977, want 1152921504606846976`},
		{"natural numbers", one[uint8](t, []int64{2}, 1, 2), one[uint8](t, []int64{2}, 1, 2), ""},
		{"truth", one(t, []int64{1}, true), one(t, []int64{1}, false), `[0]: got true, want false`},
		{"words", text("a", "b"), text("a", "c"), `[1]: got "b", want "c"`},
		{"type", one[int32](t, []int64{1}, 1), one[int64](t, []int64{1}, 1), `: got datatype INT32, want INT64`},
		{"shape", one[int32](t, []int64{1, 2}, 1, 2), one[int32](t, []int64{2}, 1, 2), `: got shape [1,2], want [2]`},
		{"document", tensor.Sequence{one[float32](t, []int64{1, 2}, .5, 1)}, text("[[0.5,1]]"), ""},
		{"document both", text(`{"a":1,"b":2}`), tensor.Sequence{tensor.Map{Keys: text("b", "a"), Values: one(t, []int64{2}, 2.0, 1.0)}}, ""},
		{"lone map", tensor.Map{Keys: one[int64](t, []int64{1}, 3), Values: text("x")}, text(`{"3":"x"}`), ""},
		{"map value", text(`{"3":"y"}`), text(`{"3":"x"}`), `[0]: got "{\"3\":\"y\"}"`},
		{"missing key", tensor.Map{Keys: text("a"), Values: text("x")}, text(`{"b":"x"}`), `[0]["b"]: missing`},
		{"more keys", tensor.Map{Keys: text("a", "b"), Values: text("x", "y")}, text(`{"b":"y"}`), `[0]: got a map of 2, want 1`},
		{"kind", tensor.Sequence{text("a")}, text(`{"b":"x"}`), `[0]: got a tensor, want a map`},
		{"length", tensor.Sequence{}, text(`{}`), `: got a sequence of 0, want 1`},
		{"empty", tensor.Sequence{one[float32](t, []int64{0, 2})}, text(`[]`), ""},
		{"rank", tensor.Sequence{one[float32](t, []int64{2}, 1, 2)}, text(`[[1,2]]`), `[0]: got shape [2], want [1,2]`},
		{"no document", tensor.Sequence{}, text(`no`), `: want no sequence`},
		{"word for number", tensor.Sequence{one[float32](t, []int64{1}, 1)}, text(`["x"]`), `[0][0]: got 1, want "x"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := golden.Equal([]tensor.Named{{Name: "y", Value: test.got}}, []tensor.Named{{Name: "y", Value: test.want}}, golden.DefaultTolerance)
			if test.err == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, `output "y"`+test.err)
		})
	}
	y := []tensor.Named{{Name: "y", Value: text("a")}}
	require.EqualError(t, golden.Equal(nil, y, golden.DefaultTolerance), `output "y": missing`)
	require.EqualError(t, golden.Equal(y, nil, golden.DefaultTolerance), `output "y": not wanted`)
}

func FuzzRead(f *testing.F) {
	good := string(golden.AppendLine(nil, []byte(request), []byte(response), golden.DefaultTolerance, golden.Recorded{}))
	for _, seed := range []string{good, good + good, strings.Replace(good, `[7]`, `[[7]]`, 1), `{"request":{},"response":{},"tolerance":{}}`, strings.ReplaceAll(good, `0.7`, `1e400`), `{"request":` + request + `,"response":{"outputs":[{"name":"maps","datatype":"BYTES","shape":[1],"data":["[[],[]]"]}]}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		cases, err := golden.Read(bytes.NewReader(file), inputs, outputs)
		if err != nil {
			return
		}
		for _, c := range cases {
			// What was read equals itself, to the last digit.
			c.Tolerance = golden.Tolerance{}
			if err := c.Check(c.Want); err != nil {
				t.Fatal(err)
			}
		}
	})
}
