"""Inputs of the model add_sub, and the check of its outputs."""

import numpy

A = numpy.arange(16, dtype=numpy.int32).reshape(1, 16)
B = numpy.full((1, 16), 3, numpy.int32)


def check(result, outputs=("OUTPUT0", "OUTPUT1")):
    """Asserts that a result of Triton's client has exactly these outputs, with the right values."""
    for output, want in [("OUTPUT0", A + B), ("OUTPUT1", A - B)]:
        got = result.as_numpy(output)
        if output in outputs:
            assert got.dtype == numpy.int32
            numpy.testing.assert_array_equal(got, want)
        else:
            assert got is None
