"""Values of every type of the protocol, including the limits of the type."""

import ml_dtypes
import numpy

NUMPY = {
    "BOOL": numpy.bool_,
    "INT8": numpy.int8,
    "INT16": numpy.int16,
    "INT32": numpy.int32,
    "INT64": numpy.int64,
    "UINT8": numpy.uint8,
    "UINT16": numpy.uint16,
    "UINT32": numpy.uint32,
    "UINT64": numpy.uint64,
    "FP16": numpy.float16,
    "BF16": ml_dtypes.bfloat16,
    "FP32": numpy.float32,
    "FP64": numpy.float64,
    "BYTES": numpy.object_,
}
SHAPES = {0: [()], 1: [(7,), (0,)], 2: [(3, 2), (0, 4), (5, 0)], 3: [(2, 3, 2)], 4: [(2, 1, 3, 2)], 5: [(1, 2, 2, 1, 2)]}
WORDS = ["", "petal", "длина лепестка", "花びら", 'a "quoted" \\ word', "tab\tand\nline", "🌷", "x" * 1000]


def edges(datatype):
    """Values of a type that a careless codec would change."""
    if datatype == "BYTES":
        return [word.encode() for word in WORDS]
    kind = numpy.dtype(NUMPY[datatype])
    if datatype == "BOOL":
        return [True, False]
    if datatype.startswith(("INT", "UINT")):
        limits = numpy.iinfo(kind)
        return [limits.max, limits.min, 0, 1, limits.max - 1, 42]
    limits = ml_dtypes.finfo(kind)
    return [0.1, -0.0, limits.max, -limits.max, limits.smallest_subnormal, limits.tiny, 1 + float(limits.eps), 3, -2.5]


def sample(datatype, shape):
    """An array of a shape that repeats the edge values."""
    values = edges(datatype)
    count = int(numpy.prod(shape))
    filled = numpy.empty(count, dtype=NUMPY[datatype])
    for i in range(count):
        filled[i] = values[i % len(values)]
    return filled.reshape(shape)
