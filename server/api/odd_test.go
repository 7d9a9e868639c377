package api_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"slipway/server/codec"
	"slipway/server/oip"
	"slipway/server/onnx/onnxtest"
	"slipway/server/serving"
	"slipway/server/tensor"
	"slipway/server/trial"
)

// notAlone are the test models that need another file, are none, or take long.
var notAlone = []string{"corrupt", "external", "slow", "deaf"}

// Every model of the tests, by every route and with every number of rows and elements
// that its inputs allow or do not allow: the response is a result or what is wrong with
// the request, and never a failure of the server.
func TestEveryModelByEveryRoute(t *testing.T) {
	all, err := filepath.Glob(filepath.Join(filepath.Dir(onnxtest.Model(t, "constant_1")), "*.onnx"))
	require.NoError(t, err)
	require.NotEmpty(t, all)
	library, err := onnxtest.Library()
	require.NoError(t, err)
	trials := trial.New(trial.Options{Command: []string{os.Args[0], "trial"}, Library: library, Timeout: time.Minute}, 4<<30, nil)
	for _, settings := range []string{"", "batching: {maxBatchSize: 8}\n"} {
		files := map[string]string{}
		for _, path := range all {
			if name := strings.TrimSuffix(filepath.Base(path), ".onnx"); !slices.Contains(notAlone, name) {
				files[name+"/1/model.onnx"] = name
			}
		}
		folder := onnxtest.Repository(t, files)
		for path := range files {
			require.NoError(t, os.WriteFile(filepath.Join(folder, filepath.Dir(filepath.Dir(path)), "config.yaml"), []byte(settings), 0o600))
		}
		f := startCatalog(t, serving.Options{Folder: folder, Trials: trials}, nil)
		for _, m := range f.api.Catalog.Models() {
			t.Run(m.Name+" "+strings.TrimSpace(settings), func(t *testing.T) { f.tryEveryRoute(t, m) })
		}
		assert.Empty(t, f.log.with(t, "handler panicked"))
	}
}

func (f *fixture) tryEveryRoute(t *testing.T, m *serving.Model) {
	t.Helper()
	require.NotEmpty(t, m.Versions)
	inputs := m.Versions[0].Inputs
	served := 0
	for _, size := range []int64{0, 1, 2, 3} {
		var tensors []tensor.Named
		for _, in := range inputs {
			shape := slices.Clone(in.Shape)
			for axis, d := range shape {
				if d < 0 {
					shape[axis] = size
				}
			}
			made, err := tensor.Generator{}.Tensor(in.DType, shape)
			require.NoError(t, err)
			tensors = append(tensors, tensor.Named{Name: in.Name, Value: made})
		}
		request := &codec.Request{Form: codec.OIP, Inputs: tensors}
		binary, header := codec.AppendBinaryRequest(nil, request)
		for _, r := range []struct {
			path, body string
			headers    []string
		}{
			{"/predict/" + m.Name, rowsOf(tensors, int(size)), nil},
			{"/v1/models/" + m.Name + ":predict", rowsOf(tensors, int(size)), nil},
			{"/v1/models/" + m.Name + ":predict", `{"instances":[{}]}`, nil},
			{"/v1/models/" + m.Name + ":predict", `{"instances":[[]]}`, nil},
			{"/predict/" + m.Name, columnsOf(tensors), nil},
			{"/v1/models/" + m.Name + ":predict", columnsOf(tensors), nil},
			{"/v2/models/" + m.Name + "/infer", string(codec.AppendRequest(nil, request)), nil},
			{"/v2/models/" + m.Name + "/infer", string(binary), []string{"Inference-Header-Content-Length", strconv.Itoa(header)}},
			{"/v2/models/" + m.Name + "/infer", `{"inputs":[],"parameters":{"binary_data_output":true}}`, nil},
		} {
			code, body := f.request(t, f.rest, http.MethodPost, r.path, r.body, r.headers...)
			assert.Less(t, code, http.StatusInternalServerError, "%s %.200q: %s", r.path, r.body, body)
			if code == http.StatusOK {
				served++
			}
		}
		call := &oip.ModelInferRequest{ModelName: m.Name}
		for _, in := range tensors {
			given := in.Value.(*tensor.Tensor)
			call.Inputs = append(call.Inputs, &oip.ModelInferRequest_InferInputTensor{Name: in.Name, Datatype: given.DType.String(), Shape: given.Shape})
			call.RawInputContents = append(call.RawInputContents, codec.AppendRaw(nil, given))
		}
		_, err := f.client().ModelInfer(t.Context(), call)
		assert.Contains(t, []codes.Code{codes.OK, codes.InvalidArgument}, status.Code(err), err)
		if err == nil {
			served++
		}
	}
	assert.Positive(t, served, "no request was served at all")
}

// columnsOf returns the columns form of a request.
func columnsOf(inputs []tensor.Named) string {
	body, err := codec.Append(nil, &codec.Response{Form: codec.Columns, Outputs: inputs})
	if err != nil {
		return err.Error()
	}
	return strings.Replace(string(body), `"outputs"`, `"inputs"`, 1)
}

// rowsOf returns a request of so many instances, each with a row of what has an axis for
// rows and all of what has none.
func rowsOf(inputs []tensor.Named, count int) string {
	rows := make([]string, count)
	for r := range rows {
		one := slices.Clone(inputs)
		for i, in := range one {
			if t := in.Value.(*tensor.Tensor); len(t.Shape) > 0 && t.Shape[0] > int64(r) {
				row := *t.Rows(r, r+1)
				row.Shape = row.Shape[1:]
				one[i].Value = &row
			}
		}
		body := columnsOf(one)
		rows[r] = strings.TrimSuffix(strings.TrimPrefix(body, `{"inputs":`), "}")
	}
	return `{"instances":[` + strings.Join(rows, ",") + `]}`
}
