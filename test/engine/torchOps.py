"""Gradient and Hessian-vector product of each TensorFlow.js op that has one, by PyTorch in float64: writes torchOps.json beside itself.

Run with PyTorch 2.13:  python3 test/engine/torchOps.py
Each op y is tested inside the loss ½Σ w·y², so that its first and second derivatives both count. Points, weights w and directions v
are formulas that opCases.ts repeats. Ops without second derivatives in sharpness-lab have `hvp: null`.
"""

import json
import math
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)


# --- Points, weights, directions ------------------------------------------------------------------------------------------------


def spread(n, offset):
    """Values in [-2, 2] in mixed order, all 4/n apart and 2/n from zero, so that no op has a kink near them; in float32."""
    step = max(k for k in range(1, n + 1) if math.gcd(k, n) == 1 and (k <= 0.62 * n or k == 1))
    places = (np.arange(n) * step + 3 * offset + 1) % n
    return torch.tensor((((places + 0.5) * 4) / n - 2 + (1 / n if n % 2 else 0)).astype(np.float32).astype(np.float64))


def loss_weights(shape):
    return (1 + torch.sin(3.0 * torch.arange(math.prod(shape))) / 2).reshape(shape)


def direction(n, offset):
    return torch.cos(1.0 + 2 * torch.arange(n) + 3 * offset)


# --- Layout: TensorFlow's NHWC images and HWIO filters --------------------------------------------------------------------------


def to_first(x):
    return x.movedim(-1, 1)


def to_last(y):
    return y.movedim(1, -1)


def margins_of(sides, kernel, strides, pad, dilations):
    """F.pad's margins, last axis first. SAME: ceil(side / stride) windows, the odd zero at the end."""
    if pad == "valid":
        return [0] * (2 * len(sides))
    if pad == "same":
        result = []
        for side, k, s, d in reversed(list(zip(sides, kernel, strides, dilations))):
            total = max((math.ceil(side / s) - 1) * s + (k - 1) * d + 1 - side, 0)
            result += [total // 2, total - total // 2]
        return result
    if isinstance(pad, int):
        return [pad] * (2 * len(sides))
    return [m for axis in reversed(pad[1:-1]) for m in axis]


def conv(x, filters, strides=1, pad="same", dilations=1, groups=1):
    rank = x.dim() - 2
    strides, dilations = ([v] * rank if isinstance(v, int) else v for v in (strides, dilations))
    x = to_first(x)
    x = F.pad(x, margins_of(x.shape[2:], filters.shape[2:], strides, pad, dilations))
    run = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[rank]
    return to_last(run(x, filters, None, tuple(strides), 0, tuple(dilations), groups))


def conv2d(strides=1, pad="same", dilations=1):
    return lambda x, f: conv(x, f.permute(3, 2, 0, 1), strides, pad, dilations)


def depthwise(strides=1, pad="same", dilations=1):
    def run(x, f):
        h, w, c, m = f.shape
        return conv(x, f.permute(2, 3, 0, 1).reshape(c * m, 1, h, w), strides, pad, dilations, groups=c)

    return run


def conv_transpose(output_shape, strides, pad):
    """The gradient of a convolution by its input, which is what TensorFlow defines a transposed convolution to be."""

    def run(dy, f):
        x = torch.zeros(output_shape, requires_grad=True)
        filters = f.permute(f.dim() - 1, f.dim() - 2, *range(f.dim() - 2))
        return torch.autograd.grad(conv(x, filters, strides, pad), x, dy, create_graph=True)[0]

    return run


def conv3d(strides=1, pad="same"):
    return lambda x, f: conv(x, f.permute(4, 3, 0, 1, 2), strides, pad)


def windows(x, size, strides, pad, value, dilations=1):
    """(n, c, places inside a window, windows) of channels-first images, and their sides."""
    rank = x.dim() - 2
    size, strides, dilations = ([v] * rank if isinstance(v, int) else v for v in (size, strides, dilations))
    x = F.pad(x, margins_of(x.shape[2:], size, strides, pad, dilations), value=value)
    for axis, (k, s, d) in enumerate(zip(size, strides, dilations)):
        count = (x.shape[2 + axis] - (k - 1) * d - 1) // s + 1
        index = (torch.arange(count)[:, None] * s + torch.arange(k) * d).reshape(-1)
        x = x.index_select(2 + axis, index)
    sides = [x.shape[2 + axis] // k for axis, k in enumerate(size)]
    split = [v for pair in zip(sides, size) for v in pair]
    x = x.reshape(*x.shape[:2], *split)
    order = [0, 1] + [2 + 2 * a for a in range(rank)] + [3 + 2 * a for a in range(rank)]
    return x.permute(order).reshape(*x.shape[:2], *sides, -1)


def max_pool(size, strides, pad, dilations=1):
    return lambda x: to_last(windows(to_first(x), size, strides, pad, -math.inf, dilations).amax(-1))


def avg_pool(size, strides, pad, dilations=1):
    """The mean of the places that are there."""

    def run(x):
        x = to_first(x)
        total, count = (windows(t, size, strides, pad, 0.0, dilations).sum(-1) for t in (x, torch.ones_like(x)))
        return to_last(total / count)

    return run


def resize(height, width, mode, corners=False, half_pixel=False):
    """TensorFlow's three ways to place the new pixels, each axis by a matrix."""

    def matrix(old, new):
        result = torch.zeros(new, old)
        scale = (old - 1) / (new - 1) if corners and new > 1 else old / new
        for i in range(new):
            at = (i + 0.5) * scale - 0.5 if half_pixel and mode == "bilinear" else (i + 0.5) * scale if half_pixel else i * scale
            if mode == "nearest":
                place = math.floor(at + 0.5) if corners else math.floor(at)
                result[i, min(max(place, 0), old - 1)] = 1
            else:
                at = max(at, 0.0)
                low = min(math.floor(at), old - 1)
                high = min(low + 1, old - 1)
                result[i, low] += 1 - (at - low)
                result[i, high] += at - low
        return result

    return lambda x: torch.einsum("ih,jw,nhwc->nijc", matrix(x.shape[1], height), matrix(x.shape[2], width), x)


def dilation2d(x, f):
    """Grayscale dilation: the maximum over the window of x + filter; valid, strides 1. 0.37 keeps the maxima apart."""
    h, w = f.shape[:2]
    sides = (x.shape[1] - h + 1, x.shape[2] - w + 1)
    taps = [x[:, i : i + sides[0], j : j + sides[1]] + 0.37 * f[i, j] for i in range(h) for j in range(w)]
    return torch.stack(taps).amax(0)


def batch_norm(x, mean, variance, offset, scale, eps=1e-3):
    return (x - mean) / torch.sqrt(variance + eps) * scale + offset


def own_batch_norm(x, scale, offset, eps=1e-3):
    axes = tuple(range(x.dim() - 1))
    return batch_norm(x, x.mean(axes), x.var(axes, unbiased=False), offset, scale, eps)


def space_to_batch(x, block, paddings):
    x = F.pad(x, [0, 0, *paddings[1], *paddings[0]])
    n, h, w, c = x.shape
    x = x.reshape(n, h // block[0], block[0], w // block[1], block[1], c)
    return x.permute(2, 4, 0, 1, 3, 5).reshape(-1, h // block[0], w // block[1], c)


def batch_to_space(x, block, crops):
    b, h, w, c = x.shape
    n = b // (block[0] * block[1])
    x = x.reshape(block[0], block[1], n, h, w, c).permute(2, 3, 0, 4, 1, 5).reshape(n, h * block[0], w * block[1], c)
    return x[:, crops[0][0] : x.shape[1] - crops[0][1], crops[1][0] : x.shape[2] - crops[1][1]]


def lrn(x, radius=5, bias=1.0, alpha=1.0, beta=0.5):
    squares = F.pad(x * x, [radius, radius])
    total = sum(squares[..., k : k + x.shape[-1]] for k in range(2 * radius + 1))
    return x * (bias + alpha * total) ** -beta


def mirror(x, paddings, edge):
    for axis, (before, after) in enumerate(paddings):
        side = x.shape[axis]
        index = [*range(before - 1 + edge, edge - 1, -1), *range(side), *range(side - 1 - edge, side - 1 - edge - after, -1)]
        x = x.index_select(axis, torch.tensor(index))
    return x


def lstm(kernel, data, c, h):
    i, j, f, o = (torch.cat([data, h], 1) @ kernel).chunk(4, 1)
    new_c = c * torch.sigmoid(f + 1) + torch.sigmoid(i) * torch.tanh(j)
    return torch.cat([new_c, torch.tanh(new_c) * torch.sigmoid(o)], 1)


def gram_schmidt(x):
    rows = []
    for row in x:
        for other in rows:
            row = row - (row * other).sum() * other
        rows.append(row / row.norm())
    return torch.stack(rows)


def clip_probability(p):
    return p.clamp(1e-7, 1 - 1e-7)


# --- Ops ----------------------------------------------------------------------------------------------------------------------------

CASES = {}
FIRST_ORDER_ONLY = set()


def case(op, shapes, run, second=True):
    assert op not in CASES, op
    CASES[op] = (shapes, run)
    if not second:
        FIRST_ORDER_ONLY.add(op)


def unary(**runs):
    for op, run in runs.items():
        case(op, [[5, 7]], run)


log_base = lambda x: x * x + 1
unary(
    exp=torch.exp, sigmoid=torch.sigmoid, tanh=torch.tanh, softplus=F.softplus, logSigmoid=F.logsigmoid, relu=torch.relu,
    elu=F.elu, selu=F.selu, abs=torch.abs, sin=torch.sin, cos=torch.cos, sinh=torch.sinh, cosh=torch.cosh, atan=torch.atan,
    asinh=torch.asinh, erf=torch.erf, expm1=torch.expm1, square=torch.square, neg=torch.neg,
)  # fmt: skip
for op, run in {
    "log": lambda x: torch.log(log_base(x)),
    "log1p": lambda x: torch.log1p(x * x),
    "sqrt": lambda x: torch.sqrt(x * x + 0.5),
    "rsqrt": lambda x: torch.rsqrt(x * x + 0.5),
    "reciprocal": lambda x: 1 / (x * x + 0.5),
    "tan": lambda x: torch.tan(x / 2),
    "asin": lambda x: torch.asin(x / 3),
    "acos": lambda x: torch.acos(x / 3),
    "acosh": lambda x: torch.acosh(x * x + 1.5),
    "atanh": lambda x: torch.atanh(x / 3),
    "logSigmoid of a computed tensor": lambda x: F.logsigmoid(x * x - 1),
    "relu6": lambda x: F.relu6(4 * x),
    "leakyRelu": lambda x: F.leaky_relu(x, 0.1),
    "swish": F.silu,
    "gelu": F.gelu,
    "clipByValue": lambda x: x.clamp(-0.55, 0.65),
    "floor": lambda x: x + torch.floor(3 * x),
    "ceil": lambda x: x + torch.ceil(3 * x),
    "round": lambda x: x + torch.round(3 * x),
    "sign": lambda x: x + torch.sign(x),
    "step": lambda x: x + torch.where(x > 0, 1.0, 0.5),
    "cast to int32 and back": lambda x: x + torch.trunc(3 * x),
    "integer arithmetic": lambda x: x + torch.trunc(3 * x) * torch.trunc(3 * x),
    "comparisons cast to numbers": lambda x: x + (x > 0.3).double() * 2,
    "floorDiv": lambda x: x + torch.floor(x / 0.73),
    "oneHot of argMax": lambda x: x * F.one_hot(x.argmax(1), 7),
}.items():
    case(op, [[5, 7]], run)
case("floorDiv alone", [[5, 7]], lambda x: torch.floor(x / 0.73) + 0 * x)
case("prelu", [[5, 7], [7]], lambda x, a: torch.where(x > 0, x, a * x))
case("prelu with slopes per row", [[2, 3, 4], [3, 1]], lambda x, a: torch.where(x > 0, x, a * x))
case("softmax", [[4, 5]], lambda x: torch.softmax(x, 1))
case("logSoftmax", [[4, 5]], lambda x: torch.log_softmax(x, 1))
case("logSumExp", [[4, 5]], lambda x: torch.logsumexp(x, 1))
case("logSumExp over all", [[4, 5]], lambda x: torch.logsumexp(x, (0, 1)))

TARGET = torch.tensor([[1, 0, 0], [0, 0.9, 0.1], [0, 0, 1]])
for op, run in {
    "losses.softmaxCrossEntropy": lambda z: -(TARGET * torch.log_softmax(z, 1)).sum(1).mean(),
    "losses.softmaxCrossEntropy with label smoothing": lambda z: -((0.9 * TARGET + 0.1 / 3) * torch.log_softmax(z, 1)).sum(1).mean(),
    "losses.sigmoidCrossEntropy": lambda z: F.binary_cross_entropy_with_logits(z, TARGET),
    "losses.logLoss of a sigmoid": lambda z: (
        -TARGET * torch.log(torch.sigmoid(z) + 1e-7) - (1 - TARGET) * torch.log(1 - torch.sigmoid(z) + 1e-7)
    ).mean(),
    "log(softmax) cross-entropy": lambda z: -(TARGET * torch.log(torch.softmax(z, 1))).sum(),
    "losses.meanSquaredError": lambda z: ((z - TARGET) ** 2).mean(),
    "losses.absoluteDifference": lambda z: (z - TARGET).abs().mean(),
    "losses.hingeLoss": lambda z: torch.relu(1 - (2 * TARGET - 1) * z).mean(),
    "losses.cosineDistance": lambda z: (1 - (TARGET * z).sum(1, keepdim=True)).mean(),
    "losses.huberLoss": lambda z: F.huber_loss(z - 0.1, 0.7 * TARGET),
    "metrics.categoricalCrossentropy": lambda z: -(TARGET * torch.log(clip_probability(torch.softmax(z, 1)))).sum(1),
    "metrics.binaryCrossentropy": lambda z: F.binary_cross_entropy(torch.sigmoid(z), TARGET, reduction="none").mean(1),
    "metrics.meanAbsoluteError": lambda z: (z - TARGET).abs().mean(1),
    "metrics.meanAbsolutePercentageError": lambda z: 100 * ((z - TARGET - 1).abs() / (TARGET + 1)).mean(1),
    "metrics.cosineProximity": lambda z: -(F.normalize(z, dim=1) * F.normalize(TARGET, dim=1)).sum(1),
}.items():
    case(op, [[3, 3]], run)
case(
    "losses.softmaxCrossEntropy, labels too",
    [[3, 3], [3, 3]],
    lambda z, t: -(torch.softmax(t, 1) * torch.log_softmax(z, 1)).sum(1).mean(),
)
case(
    "metrics.meanAbsolutePercentageError, labels too",
    [[3, 3], [3, 3]],
    lambda z, t: 100 * ((z - t * t - 1).abs() / (t * t + 1)).mean(1),
)

CUBE = [[3, 4, 5]]
for op, run in {
    "max": lambda x: x.amax(1),
    "min": lambda x: x.amin((0, 2)),
    "max over all": lambda x: x.amax(),
    "max, keepDims": lambda x: x.amax(-1, keepdim=True),
    "sum": lambda x: x.sum((0, 2)),
    "mean": lambda x: x.mean(1, keepdim=True),
    "moments": lambda x: x.var(0, unbiased=False),
    "prod": lambda x: x.prod(2).prod(0),
    "norm": lambda x: x.norm(dim=1),
    "norm 1": lambda x: x.abs().sum(1),
    "norm Infinity": lambda x: x.abs().amax(1),
    "norm 1 of matrices": lambda x: x.abs().sum(1).amax(1),
    "norm Infinity of matrices": lambda x: x.exp().sum(2).amax(1),
    "norm fro of matrices": lambda x: x.norm(dim=(1, 2)),
    "norm over all": lambda x: x.norm(),
    "euclideanNorm": lambda x: x.norm(dim=2),
    "cumsum": lambda x: x.cumsum(1),
    "cumsum, axis -1": lambda x: x.cumsum(2),
    "cumsum, exclusive and reverse": lambda x: x.flip(2).cumsum(2).flip(2) - x,
}.items():
    case(op, CUBE, run)
case("max of ties", [[3, 4]], lambda x: torch.cat([x, x], 1).amax(1))
case("min of ties", [[3, 4]], lambda x: torch.cat([x, x], 1).amin(1))

SIGNED = [
    (1, "same", 1),
    (2, "same", 1),
    ([2, 1], "valid", 1),
    (1, "same", 2),
    (1, "valid", [2, 1]),
    (2, 1, 1),
    (1, [[0, 0], [1, 0], [0, 2], [0, 0]], 1),
    (4, "valid", 1),
    (3, "same", 1),
]


def named(op, strides, pad, dilations):
    text = lambda v: json.dumps(v, separators=(",", ":"))
    return f"{op}: strides {text(strides)}, pad {text(pad)}, dilations {text(dilations)}"


IMAGE, FILTER, DEPTHWISE = [1, 7, 6, 2], [3, 2, 2, 3], [3, 2, 2, 2]
for how in SIGNED:
    case(named("conv2d", *how), [IMAGE, FILTER], conv2d(*how))
    case(named("fused.conv2d", *how), [IMAGE, FILTER, [3]], lambda x, f, b, how=how: conv2d(*how)(x, f) + b)
    case(named("depthwiseConv2d", *how), [IMAGE, DEPTHWISE], depthwise(*how))
case("fused.conv2d with relu", [IMAGE, FILTER, [3]], lambda x, f, b: torch.relu(conv2d()(x, f) + b))
case("fused.depthwiseConv2d", [IMAGE, DEPTHWISE, [4]], lambda x, f, b: depthwise()(x, f) + b)
case("fused.depthwiseConv2d, pad 1", [IMAGE, DEPTHWISE, [4]], lambda x, f, b: depthwise(pad=1)(x, f) + b)
case("conv2dTranspose", [[1, 3, 3, 3], FILTER], conv_transpose([1, 6, 6, 2], 2, "same"))
case("conv2dTranspose, strides beyond the kernel", [[1, 3, 3, 3], [2, 2, 2, 3]], conv_transpose([1, 9, 9, 2], 3, "same"))
case(
    "separableConv2d",
    [IMAGE, DEPTHWISE, [1, 1, 4, 3]],
    lambda x, d, p: conv2d()(depthwise()(x, d), p),
)
case("conv1d", [[2, 8, 3], [3, 3, 2]], lambda x, f: conv(x, f.permute(2, 1, 0)))
case("conv1d, strides beyond the kernel", [[2, 8, 3], [2, 3, 2]], lambda x, f: conv(x, f.permute(2, 1, 0), 3, "valid"))
case("conv3d", [[1, 3, 4, 4, 2], [2, 2, 2, 2, 2]], conv3d())
case("conv3d, strides 2", [[1, 3, 4, 4, 2], [2, 2, 2, 2, 2]], conv3d(2, "valid"))
case("conv3d, strides beyond the kernel", [[1, 6, 3, 3, 2], [2, 2, 2, 2, 2]], conv3d(3, "same"))
case("conv3dTranspose, strides beyond the kernel", [[1, 2, 1, 1, 2], [2, 2, 2, 2, 2]], conv_transpose([1, 6, 3, 3, 2], 3, "same"))
case("conv3dTranspose", [[1, 2, 2, 2, 2], [2, 2, 2, 2, 2]], conv_transpose([1, 4, 4, 4, 2], 2, "same"))
case("dilation2d", [[1, 5, 5, 2], [2, 2, 2]], dilation2d, second=False)

POOLS = [(2, 2, "same"), (3, 2, "same"), (3, 1, "valid"), (2, 3, "valid"), (2, 2, 1)]
for size, strides, pad in POOLS:
    case(f"maxPool {size}, strides {strides}, {pad}", [IMAGE], max_pool(size, strides, pad))
    case(f"avgPool {size}, strides {strides}, {pad}", [IMAGE], avg_pool(size, strides, pad))
case("pool max with dilations 2", [IMAGE], max_pool(2, 1, "valid", 2))
case("pool avg with dilations 2", [IMAGE], avg_pool(2, 1, "valid", 2))
VOLUME = [[1, 4, 4, 4, 2]]
case("avgPool3d", VOLUME, avg_pool(2, 2, "valid"))
case("avgPool3d, same", [[1, 3, 5, 4, 2]], avg_pool(2, 2, "same"))
case("avgPool3d, strides beyond the window", [[1, 6, 3, 3, 2]], avg_pool(2, 3, "same"))
case("maxPool3d", VOLUME, max_pool(2, 2, "valid"))
case("maxPool3d, same", VOLUME, max_pool(2, 1, "same"))
case("maxPool3d, strides beyond the window", [[1, 6, 3, 3, 2]], max_pool(2, 3, "same"))
for corners, half, how in [(False, False, ""), (True, False, ", alignCorners"), (False, True, ", halfPixelCenters")]:
    for kind, mode in [("Bilinear", "bilinear"), ("NearestNeighbor", "nearest")]:
        case(f"image.resize{kind}, smaller{how}", [[1, 6, 5, 2]], resize(4, 3, mode, corners, half))
        case(f"image.resize{kind}, larger{how}", [[2, 3, 2, 2]], resize(7, 5, mode, corners, half))

SMALL = [3, 3, 2, 3]
positive = lambda v: v * v + 0.1
case("batchNorm", [SMALL, [3], [3], [3], [3]], lambda x, m, v, b, g: batch_norm(x, m, positive(v), b, g))
case("batchNorm without scale", [SMALL, [3], [3], [3]], lambda x, m, v, b: batch_norm(x, m, positive(v), b, 1))
case("batchNorm without scale and offset", [SMALL, [3], [3]], lambda x, m, v: batch_norm(x, m, positive(v), 0, 1))
case("batchNormTraining", [SMALL, [3], [3]], own_batch_norm)
case(
    "batchNormInference",
    [SMALL, [3], [3]],
    lambda x, g, b: batch_norm(x, torch.tensor([0.1, -0.2, 0.3]), torch.tensor([0.5, 1, 2]), b, g),
)
case("batch norm, composed", [SMALL, [3], [3]], own_batch_norm)
case("layer norm", [[4, 6], [6], [6]], lambda x, g, b: F.layer_norm(x, [6], g, b, 1e-3))
case("localResponseNormalization", [[1, 2, 2, 6]], lrn, second=False)

GRID = [[4, 3]]
INDICES = torch.tensor([0, 2, 2, 1])
for op, run in {
    "gather (embedding)": lambda x: x[INDICES],
    "gather, axis 1": lambda x: x[:, torch.tensor([2, 0, 2])],
    "gather, axis -1": lambda x: x[:, torch.tensor([2, 0, 2])],
    "split": lambda x: x[:, 1:2],
    "split in one": lambda x: x,
    "unstack": lambda x: x[:, 1],
    "pad": lambda x: F.pad(x, [0, 1, 1, 2]),
    "slice": lambda x: x[1:3, 0:2],
    "tile": lambda x: x.repeat(2, 3),
    "reshape": lambda x: x.reshape(2, 6),
    "expandDims, squeeze": lambda x: x,
    "transpose": lambda x: x.T,
    "reverse": lambda x: x.flip(0),
    "where": lambda x: torch.where(x > 0, x * x, torch.sin(x)),
    "where, broadcast": lambda x: torch.where(x[:, :1] > 0, x * x, x.sum(0)),
    "unsortedSegmentSum": lambda x: torch.zeros(3, 3).index_add(0, INDICES, x),
    "unsortedSegmentSum that drops negative ids": lambda x: x[[0, 3, 2]],
    "booleanMask": lambda x: x[torch.tensor([True, False, True, True])],
    "linalg.bandPart": lambda x: torch.triu(torch.tril(x, 1), -1),
    "prod with a zero": lambda x: (x * torch.tensor([1.0, 0, 1])).prod(1),
    "split, reversed in place": lambda x: torch.cat([x[:, 1:], x[:, :1]], 1),
}.items():
    case(op, GRID, run)
case("gather with batchDims 1", [[2, 3, 2]], lambda x: torch.stack([x[0][[2, 0]], x[1][[1, 1]]]))
case("concat", [[2, 3], [2, 4]], lambda a, b: torch.cat([a, b], 1))
case("stack", [[2, 3], [2, 3]], lambda a, b: torch.stack([a, b], 1))
case("stack, axis -1", [[2, 3], [2, 3]], lambda a, b: torch.stack([a, b], -1))
case("stack and unstack of one", [[1, 3]], lambda x: x)
case("mirrorPad", [[4, 5]], lambda x: mirror(x, [(1, 2), (0, 3)], 1))
case("mirrorPad, symmetric", [[4, 5]], lambda x: mirror(x, [(1, 2), (0, 3)], 0))
case("broadcastTo", [[1, 3]], lambda x: x.expand(4, 3))
case("broadcastTo of a lower rank", [[3]], lambda x: x.expand(2, 4, 3))
case("reverse of two axes", CUBE, lambda x: x.flip(0, 2))
case("transpose of three axes", CUBE, lambda x: x.permute(2, 0, 1))
case("spaceToBatchND", [[1, 3, 4, 2]], lambda x: space_to_batch(x, (2, 2), ((0, 1), (1, 1))))
case("batchToSpaceND", [[4, 2, 2, 1]], lambda x: batch_to_space(x, (2, 2), ((0, 1), (1, 0))))
case("linalg.qr", [[3, 2]], lambda x: torch.linalg.qr(x)[1])
case("linalg.gramSchmidt", [[3, 4]], gram_schmidt)
case("image.grayscaleToRGB", [[1, 2, 3, 1]], lambda x: x.repeat(1, 1, 1, 3))
case("signal.frame", [[7]], lambda x: x.unfold(0, 3, 2))

TWO = [[4, 3], [3]]
for op, run in {
    "add, sub, mul, div": lambda a, b: (a + b) * (a - b) / (b * b + 1),
    "squaredDifference": lambda a, b: (a - b) ** 2,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "pow": lambda a, b: (a * a + 1) ** b,
    "mod": lambda a, b: a - torch.floor(a / (b * b + 0.3)) * (b * b + 0.3),
    "floorDiv of two": lambda a, b: a * b + torch.floor(a / (b * b + 0.3)),
    "atan2": torch.atan2,
    "divNoNan": lambda a, b: a / b,
    "outerProduct": lambda a, b: torch.outer(a[0], b),
    "dot": lambda a, b: a @ b,
    "matMul of a matrix and a vector": lambda a, b: a @ b[:, None],
}.items():
    case(op, TWO, run)
case("pow with a constant integer exponent", [[4, 3]], lambda a: a**3)
case("addN", [[4, 3], [4, 3], [4, 3]], lambda a, b, c: a + b * b + c)
case("matMul", [[3, 4], [4, 2]], torch.matmul)
case("matMul, first transposed", [[4, 3], [4, 2]], lambda a, b: a.T @ b)
case("matMul, second transposed", [[3, 4], [2, 4]], lambda a, b: a @ b.T)
case("matMul, both transposed", [[4, 3], [2, 4]], lambda a, b: a.T @ b.T)
case("matMul of two stacks", [[2, 3, 4], [2, 4, 2]], torch.matmul)
case("matMul of a stack and a matrix", [[3, 2, 4], [4, 2]], torch.matmul)
case("matMul of a matrix and a stack", [[2, 4], [3, 4, 2]], torch.matmul)
case("matMul of a stack of one, transposed", [[1, 4, 2], [3, 4, 2]], lambda a, b: a.mT @ b)
case("matMul of stacks in two axes", [[2, 2, 3, 2], [2, 1, 2, 4]], torch.matmul)
case("fused.matMul of a stack and a matrix", [[3, 2, 4], [4, 2]], torch.matmul)
case("fused.matMul", [[3, 4], [4, 2], [2]], lambda a, b, c: a @ b + c)
case("fused.matMul with relu", [[3, 4], [4, 2], [2]], lambda a, b, c: torch.relu(a @ b + c))
case("basicLSTMCell", [[5, 8], [2, 3], [2, 2], [2, 2]], lstm)


# --- Truth ----------------------------------------------------------------------------------------------------------------------------


def truth(shapes, run, second):
    xs = [spread(math.prod(s), i).reshape(s).requires_grad_() for i, s in enumerate(shapes)]
    y = run(*xs)
    loss = (loss_weights(y.shape) * y * y).sum() / 2
    gradient = torch.autograd.grad(loss, xs, create_graph=True)
    entry = {"shapes": shapes, "gradient": [rounded(g) for g in gradient]}
    if not second:
        return {**entry, "hvp": None}
    vs = [direction(x.numel(), i).reshape(x.shape) for i, x in enumerate(xs)]
    slope = sum((g * v).sum() for g, v in zip(gradient, vs))
    hvp = torch.autograd.grad(slope, xs, allow_unused=True) if slope.requires_grad else [None] * len(xs)
    return {**entry, "hvp": [rounded(torch.zeros_like(x) if h is None else h) for h, x in zip(hvp, xs)]}


def rounded(tensor):
    return [float(f"{value:.7g}") for value in tensor.detach().reshape(-1).tolist()]


if __name__ == "__main__":
    results = {op: truth(shapes, run, op not in FIRST_ORDER_ONLY) for op, (shapes, run) in CASES.items()}
    lines = ",\n".join(f"{json.dumps(op)}: {json.dumps(entry, separators=(',', ':'))}" for op, entry in results.items())
    Path(__file__).with_suffix(".json").write_text("{\n" + lines + "\n}\n")
