package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/onnx/onnxtest"
)

var rowModels = map[string]string{
	"targets/1/model.onnx":         "targets",
	"target_sequence/1/model.onnx": "target_sequence",
	"recognizer/1/model.onnx":      "recognizer",
	"recurrent/1/model.onnx":       "recurrent",
	"threshold/1/model.onnx":       "threshold",
	"offset/1/model.onnx":          "offset",
	"labelled/1/model.onnx":        "labelled",
	"one_label/1/model.onnx":       "one_label",
	"shares/1/model.onnx":          "shares",
	"quantized/1/model.onnx":       "quantized",
	"fixed_rows/1/model.onnx":      "fixed_rows",
	"fixed_columns/1/model.onnx":   "fixed_columns",
	"no_inputs/1/model.onnx":       "no_inputs",
	"static/1/model.onnx":          "static_batch",
	"zipmap/1/model.onnx":          "zipmap",
}

// rowRepository has the models, each with these settings unless they are empty.
func rowRepository(t *testing.T, settings string) string {
	t.Helper()
	folder := onnxtest.Repository(t, rowModels)
	for path := range rowModels {
		if settings != "" {
			at := filepath.Join(folder, filepath.Dir(filepath.Dir(path)), "config.yaml")
			require.NoError(t, os.WriteFile(at, []byte(settings), 0o600))
		}
	}
	return folder
}

// Instances give what each gives by itself, in whatever form the model has its rows, for
// as many of them as the model has targets, layers or steps too.
func TestEachInstanceGetsItsOwnPrediction(t *testing.T) {
	const row = `[[0.5,-1,2,0],[3,1,0,1],[-2,0,1,1],[1,2,3,4]]`
	for _, settings := range []string{"", "batching: {maxBatchSize: 4}"} {
		f := start(t, rowRepository(t, settings), nil)
		for model, instances := range map[string]string{
			"targets":         row,
			"target_sequence": row,
			"one_label":       row,
			"zipmap":          row,
			"recognizer":      `[[[1,2,3],[4,5,6]],[[0,1,0],[1,0,1]],[[7,8,9],[1,1,1]],[[2,2,2],[0,0,3]]]`,
			"recurrent": `[{"x":[[1,2],[3,4],[5,6]],"h0":[[0,0,1]]},{"x":[[0,1],[1,0],[1,1]],"h0":[[1,0,0]]},
				{"x":[[2,2],[0,0],[1,5]],"h0":[[0.5,0.5,0]]},{"x":[[9,8],[7,6],[5,4]],"h0":[[0,1,0]]}]`,
		} {
			t.Run(model+settings, func(t *testing.T) {
				var all []json.RawMessage
				require.NoError(t, json.Unmarshal([]byte(instances), &all))
				var want []any
				for _, one := range all {
					want = append(want, f.predictions(t, model, fmt.Sprintf("[%s]", one))...)
				}
				for count := 1; count <= len(all); count++ {
					some, err := json.Marshal(all[:count])
					require.NoError(t, err)
					got := f.predictions(t, model, string(some))
					require.Len(t, got, count)
					near(t, want[:count], got)
				}
			})
		}
	}
}

func (f *fixture) predictions(t *testing.T, model, instances string) []any {
	t.Helper()
	r := f.do(t, http.MethodPost, "/v1/models/"+model+":predict", `{"instances":`+instances+`}`)
	require.Equal(t, http.StatusOK, r.status, r.body)
	var body struct{ Predictions []any }
	require.NoError(t, json.Unmarshal([]byte(r.body), &body))
	return body.Predictions
}

// near compares nested values, the numbers within what the order of a sum changes.
func near(t *testing.T, want, got any) {
	t.Helper()
	switch want := want.(type) {
	case float64:
		assert.InDelta(t, want, got, 1e-5)
	case []any:
		require.Len(t, got, len(want))
		for i := range want {
			near(t, want[i], got.([]any)[i])
		}
	case map[string]any:
		for key := range want {
			near(t, want[key], got.(map[string]any)[key])
		}
	default:
		assert.Equal(t, want, got)
	}
}

// The numbers of one row are those of the columns, however they lie there.
func TestRowsAreThoseOfTheColumns(t *testing.T) {
	f := start(t, rowRepository(t, ""), nil)
	columns := f.do(t, http.MethodPost, "/predict/targets", `{"inputs":[[1,0,0,0],[0,1,0,0],[0,0,1,0]]}`)
	var body struct{ Outputs struct{ Y [][]float64 } }
	require.NoError(t, json.Unmarshal([]byte(columns.body), &body), columns.body)
	rows := f.predictions(t, "targets", `[[1,0,0,0],[0,1,0,0],[0,0,1,0]]`)
	for r := range 3 {
		for target := range 3 {
			assert.InDelta(t, body.Outputs.Y[target][r], rows[r].([]any)[target], 1e-6)
		}
	}
}

// What has no axis for rows is refused by name, also where a size is the number of
// instances by chance.
func TestRowsAreRefusedByName(t *testing.T) {
	f := start(t, rowRepository(t, ""), nil)
	for name, test := range map[string]struct{ model, instances, message string }{
		"a scalar":               {"threshold", `[{"x":[1,2],"threshold":1},{"x":[3,4],"threshold":2}]`, `input "threshold" has no axis for rows: send columns`},
		"three rows":             {"threshold", `[{"x":[1,2],"threshold":1},{"x":[3,4],"threshold":2},{"x":[3,4],"threshold":2}]`, `input "threshold"`},
		"a vector of all rows":   {"offset", `[{"x":[1,2],"offset":1},{"x":[3,4],"offset":2}]`, `input "offset" has no axis for rows`},
		"the names of classes":   {"labelled", `[[1,2,3,4],[1,2,3,4],[1,2,3,4]]`, `output "classes" has no axis for rows`},
		"sums of columns":        {"fixed_columns", `[[1,2,3,4],[1,2,3,4],[1,2,3,4]]`, `output "y" has no axis for rows`},
		"too few rows":           {"fixed_rows", `[[1,2,3,4]]`, `expected [3,4]`},
		"too many for one":       {"static", `[[1,2,3,4],[1,2,3,4]]`, `expected [1,4]`},
		"a model without inputs": {"no_inputs", `[{}]`, `the model has no inputs`},
		"two of nothing":         {"no_inputs", `[{},{}]`, `the model has no inputs`},
		"nothing bare":           {"no_inputs", `[[]]`, `the model has no inputs`},
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"/predict/" + test.model, "/v1/models/" + test.model + ":predict"} {
				f.do(t, http.MethodPost, path, `{"instances":`+test.instances+`}`).refused(t, http.StatusBadRequest, test.message)
			}
		})
	}
	assert.JSONEq(t, `{"predictions":[10,26,42]}`,
		f.do(t, http.MethodPost, "/predict/fixed_rows", `{"instances":[[1,2,3,4],[5,6,7,8],[9,10,11,12]]}`).body)
	assert.JSONEq(t, `{"predictions":[[2,3,4,5]]}`, f.do(t, http.MethodPost, "/predict/static", `{"instances":[[1,2,3,4]]}`).body)
	assert.JSONEq(t, `{"outputs":{"labels":["cat","dog"]}}`, f.do(t, http.MethodPost, "/predict/no_inputs", `{"inputs":{}}`).body)
	assert.Len(t, f.predictions(t, "shares", `[1,2,3,4]`), 4, "rows that depend on each other are rows")
	assert.Len(t, f.predictions(t, "quantized", `[[1,2,3],[4,5,6]]`), 2)
}
