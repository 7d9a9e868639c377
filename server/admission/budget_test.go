package admission_test

import (
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/admission"
	"slipway/server/fault"
)

const limit = 8 << 20

func TestWhatFits(t *testing.T) {
	const large = limit - limit/8 // the most of one that is not small
	for name, test := range map[string]struct {
		held, more int64
		code       fault.Code // Internal: it fits
	}{
		"small":                      {0, admission.Small, fault.Internal},
		"small beside the largest":   {large, admission.Small, fault.Internal},
		"the largest":                {0, large, fault.Internal},
		"too large for ever":         {0, large + 1, fault.TooLarge},
		"too large now":              {large, admission.Small + 1, fault.Overloaded},
		"small when nothing is left": {limit, 1, fault.Overloaded},
	} {
		t.Run(name, func(t *testing.T) {
			b := admission.NewBudget(limit)
			for others := test.held; others > 0; others -= admission.Small {
				require.NoError(t, b.Charge().Add(admission.Run, min(others, admission.Small)))
			}
			fits := b.Fits(admission.Receive, test.more)
			c := b.Charge()
			err := c.Add(admission.Receive, test.more)
			if test.code == fault.Internal {
				require.NoError(t, fits)
				require.NoError(t, err)
				assert.Equal(t, test.held+test.more, b.Used())
				c.Release()
			} else {
				assert.Equal(t, test.code, fault.CodeOf(fits))
				assert.Equal(t, test.code, fault.CodeOf(err))
				assert.Equal(t, test.code == fault.Overloaded, fault.RetryAfterOf(err) > 0)
				assert.Equal(t, int64(2), b.Refused(admission.Receive))
			}
			assert.Equal(t, test.held, b.Used())
		})
	}
}

// A request that grows beyond what is small must leave what is kept for the small.
func TestARequestIsMeasuredAsAWhole(t *testing.T) {
	b := admission.NewBudget(limit)
	c := b.Charge()
	require.NoError(t, c.Add(admission.Receive, limit-limit/8))
	require.Error(t, c.Add(admission.Decode, 1))
	require.NoError(t, b.Charge().Add(admission.Decode, 1))
}

func TestChargesOfStages(t *testing.T) {
	b := admission.NewBudget(limit)
	c := b.Charge()
	require.NoError(t, c.Set(admission.Receive, 100))
	require.NoError(t, c.Add(admission.Decode, 10))
	require.NoError(t, c.Set(admission.Receive, 40))
	c.Sub(admission.Decode, 1000) // not more than it holds
	for s, want := range map[admission.Stage]int64{admission.Receive: 40, admission.Decode: 0} {
		assert.Equal(t, want, c.Held(s))
		assert.Equal(t, want, b.UsedBy(s))
	}
	c.Release()
	c.Release()
	assert.Zero(t, b.Used())
	require.Error(t, c.Add(admission.Run, 1), "a request that has ended")
	assert.Zero(t, b.Used())
}

func TestNoBudgetRefusesNothing(t *testing.T) {
	var b *admission.Budget
	require.NoError(t, b.Fits(admission.Run, 1<<60))
	c := b.Charge()
	require.NoError(t, c.Add(admission.Run, 1<<60))
	require.NoError(t, c.Set(admission.Run, 1<<60))
	c.Sub(admission.Run, 1)
	c.Release()
	assert.Zero(t, c.Held(admission.Run))
}

func TestManyAtOnce(t *testing.T) {
	b := admission.NewBudget(limit)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				c := b.Charge()
				for _, s := range admission.Stages() {
					_ = c.Add(s, 300<<10)
				}
				assert.LessOrEqual(t, b.Used(), int64(limit+8*300<<10), "one that is refused counts for a moment")
				c.Release()
			}
		})
	}
	all.Wait()
	assert.Zero(t, b.Used())
	for _, s := range admission.Stages() {
		assert.Zero(t, b.UsedBy(s), s)
	}
}

// A length that is declared takes no memory, and what arrives is charged before it
// is held.
func TestBuffersGrowWithWhatArrives(t *testing.T) {
	const declared = 4 << 20
	b := admission.NewBudget(limit)
	c := b.Charge()
	var buffer admission.Buffer
	err := buffer.ReadExactly(strings.NewReader("{"), declared, c)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.Equal(t, "{", string(buffer.Bytes))
	assert.Equal(t, int64(admission.Small), b.Used())
	c.Release()

	body := strings.Repeat("x", declared)
	for name, read := range map[string]func(*admission.Buffer, *admission.Charge) error{
		"declared": func(to *admission.Buffer, c *admission.Charge) error {
			return to.ReadExactly(iotest.HalfReader(strings.NewReader(body)), declared, c)
		},
		"unknown": func(to *admission.Buffer, c *admission.Charge) error {
			return to.ReadAll(iotest.HalfReader(strings.NewReader(body)), declared, c)
		},
	} {
		c, buffer := b.Charge(), admission.Buffer{}
		require.NoError(t, read(&buffer, c), name)
		assert.Equal(t, body, string(buffer.Bytes), name)
		assert.InDelta(t, declared, b.Used(), 1, name)
		c.Release()

		c, buffer = admission.NewBudget(1<<20).Charge(), admission.Buffer{}
		err := read(&buffer, c)
		assert.Equal(t, fault.TooLarge, fault.CodeOf(err), name)
		assert.LessOrEqual(t, cap(buffer.Bytes), 1<<20, name)
	}
	require.ErrorIs(t, new(admission.Buffer).ReadAll(strings.NewReader("four"), 3, nil), admission.ErrTooLong)
}

// What was read before is not charged again, and a long buffer that is used again
// for a short body is charged for the body.
func TestABufferThatIsUsedAgain(t *testing.T) {
	b := admission.NewBudget(limit)
	buffer := admission.Buffer{Bytes: make([]byte, 0, 1<<20)}
	c := b.Charge()
	require.NoError(t, buffer.ReadExactly(strings.NewReader("abc"), 3, c))
	assert.Equal(t, int64(3), b.Used())
	c.Release()
}
