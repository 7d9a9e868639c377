package onnx_test

import (
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/admission"
	"slipway/server/fault"
	"slipway/server/onnx"
	"slipway/server/onnx/onnxtest"
	"slipway/server/tensor"
)

// What is used of the runtime itself is as the binding's copy of its header has it.
func TestNumbersOfTheRuntimesHeader(t *testing.T) {
	ours, err := filepath.Abs("allocator.h")
	require.NoError(t, err)
	theirs := filepath.Join(goList(t, "{{.Dir}}"), "onnxruntime_c_api.h")
	compiler, err := exec.CommandContext(t.Context(), "go", "env", "CC").Output()
	require.NoError(t, err)
	check := func(wrong string) (string, error) {
		c := exec.CommandContext(t.Context(), strings.TrimSpace(string(compiler)), "-fsyntax-only", "-x", "c", "-")
		c.Stdin = strings.NewReader(fmt.Sprintf(`#include <stddef.h>
#include %q
#include %q
#define P sizeof(void *)
_Static_assert(API_VERSION == ORT_API_VERSION %s, "version");
_Static_assert(offsetof(OrtApiBase, GetApi) == 0, "GetApi");
_Static_assert(offsetof(OrtApi, GetErrorCode) == GET_ERROR_CODE * P, "GetErrorCode");
_Static_assert(offsetof(OrtApi, GetSymbolicDimensions) == GET_SYMBOLIC_DIMENSIONS * P, "GetSymbolicDimensions");
_Static_assert(offsetof(OrtApi, TensorTypeAndShape_HasShape) == HAS_SHAPE * P, "HasShape");
_Static_assert(ERROR_FAIL == ORT_FAIL && ERROR_INVALID_ARGUMENT == ORT_INVALID_ARGUMENT && ERROR_RUNTIME_EXCEPTION == ORT_RUNTIME_EXCEPTION, "codes");
_Static_assert(offsetof(OrtApi, CreateCpuMemoryInfo) == CREATE_CPU_MEMORY_INFO * P, "CreateCpuMemoryInfo");
_Static_assert(offsetof(OrtApi, SessionGetOverridableInitializerCount) == OVERRIDABLE_INITIALIZER_COUNT * P, "count");
_Static_assert(offsetof(OrtApi, SessionGetOverridableInitializerTypeInfo) == OVERRIDABLE_INITIALIZER_TYPE * P, "type");
_Static_assert(offsetof(OrtApi, SessionGetOverridableInitializerName) == OVERRIDABLE_INITIALIZER_NAME * P, "name");
_Static_assert(offsetof(OrtApi, GetAllocatorWithDefaultOptions) == DEFAULT_ALLOCATOR * P, "GetAllocatorWithDefaultOptions");
_Static_assert(offsetof(OrtApi, GetResizedStringTensorElementBuffer) == RESIZED_STRING_BUFFER * P, "GetResizedStringTensorElementBuffer");
_Static_assert(DEVICE_ALLOCATOR == OrtDeviceAllocator && MEM_TYPE_DEFAULT == OrtMemTypeDefault, "numbers");
_Static_assert(offsetof(OrtAllocator, Alloc) == 1 * P && offsetof(OrtAllocator, Free) == 2 * P, "Alloc, Free");
_Static_assert(offsetof(OrtAllocator, Info) == 3 * P && offsetof(OrtAllocator, Reserve) == 4 * P, "Info, Reserve");
_Static_assert(offsetof(OrtAllocator, GetStats) == 5 * P && offsetof(OrtAllocator, AllocOnStream) == 6 * P, "GetStats, AllocOnStream");
_Static_assert(sizeof(OrtAllocator) == ALLOCATOR_FUNCTIONS * P, "OrtAllocator");
`, theirs, ours, wrong))
		out, err := c.CombinedOutput()
		return string(out), err
	}
	out, err := check("")
	require.NoError(t, err, out)
	out, err = check("+ 1")
	require.Error(t, err)
	assert.Contains(t, out, "version")
}

func fill(t *testing.T, s *onnx.Session, shape ...int64) (*tensor.Tensor, error) {
	t.Helper()
	in := &tensor.Tensor{DType: tensor.Int64, Shape: []int64{int64(len(shape))}, Data: shape}
	outputs, err := s.Run(t.Context(), []*tensor.Tensor{in}, nil)
	if err != nil {
		return nil, err
	}
	return outputs[0].Value.(*tensor.Tensor), nil
}

// A run that needs more memory than there is fails, and the next one does not.
func TestMemoryOfRunsIsLimited(t *testing.T) {
	s, err := onnx.Open(onnxtest.Model(t, "fill"), onnx.Options{IntraOpThreads: 1})
	require.NoError(t, err)
	idle := onnx.MemoryInUse()
	onnx.LimitMemory(idle + 8<<20)
	defer onnx.LimitMemory(math.MaxInt64)

	for _, shape := range [][]int64{{1 << 14, 1 << 14}, {1 << 31, 1 << 30}, {3, 1 << 20}} {
		refused := onnx.MemoryRefused()
		_, err = fill(t, s, shape...)
		require.Error(t, err, shape)
		assert.Equal(t, fault.TooLarge, fault.CodeOf(err), "%v: %v", shape, err)
		assert.Equal(t, refused+1, onnx.MemoryRefused(), shape)
		assert.Equal(t, idle, onnx.MemoryInUse(), shape)
		got, err := fill(t, s, 2, 3)
		require.NoError(t, err)
		assert.Equal(t, []int64{2, 3}, got.Shape)
	}
	got, err := fill(t, s, 1, 1<<20) // 4 MiB
	require.NoError(t, err)
	assert.Len(t, got.Data, 1<<20)
	require.NoError(t, s.Close())
}

// A model whose weights do not fit is not loaded, and leaves nothing behind.
func TestMemoryOfWeightsIsLimited(t *testing.T) {
	path := matrix(t, side) // 10 MB
	before := onnx.MemoryInUse()
	onnx.LimitMemory(before + 1<<20)
	defer onnx.LimitMemory(math.MaxInt64)
	_, err := onnx.Open(path, onnx.Options{IntraOpThreads: 1})
	require.Error(t, err)
	assert.Equal(t, before, onnx.MemoryInUse())

	onnx.LimitMemory(math.MaxInt64)
	s, err := onnx.Open(path, onnx.Options{IntraOpThreads: 1})
	require.NoError(t, err)
	assert.Greater(t, onnx.MemoryInUse(), before+int64(side*side*4))
	require.NoError(t, s.Close())
	assert.Equal(t, before, onnx.MemoryInUse())
}

// An output is charged before it is copied.
func TestCopiesOfOutputsAreCharged(t *testing.T) {
	budget := admission.NewBudget(4 << 20)
	s, err := onnx.Open(onnxtest.Model(t, "fill"), onnx.Options{IntraOpThreads: 1, Memory: budget})
	require.NoError(t, err)
	_, err = fill(t, s, 4, 1<<20)
	assert.Equal(t, fault.TooLarge, fault.CodeOf(err), err)
	held := budget.Charge()
	require.NoError(t, held.Add(admission.Run, 3<<20))
	_, err = fill(t, s, 1, 1<<19)
	assert.Equal(t, fault.Overloaded, fault.CodeOf(err), err)
	held.Release()
	_, err = fill(t, s, 1, 1<<19)
	require.NoError(t, err)
	assert.Zero(t, budget.Used())
	require.NoError(t, s.Close())
}
