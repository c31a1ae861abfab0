"""The networks of sharpness-lab in PyTorch, from their papers, and what they compute: writes torchNetworks.json beside itself.

Run with PyTorch 2.13, in float64:  python3 test/models/torchNetworks.py
Modules have the names that sharpness-lab gives its weights; images and variables are those of test/support/networks.ts, by formula.
In each mode ("inference": moving averages; "batch": the batch's own statistics, no dropout, gates at their means): the logits, and of
the gradient of the mean cross-entropy in each parameter, and of each moving average after the batch, the norm and the product with a wave.
"""

import json
import math
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

BATCH = 4
torch.set_default_dtype(torch.float64)


# --- Layers -----------------------------------------------------------------------------------------------------------------------


class Conv(nn.Conv2d):
    """padding "tf": as TensorFlow's SAME, ceil(side / stride) windows, the odd zero at the end."""

    def __init__(self, inputs, outputs, kernel=3, stride=1, bias=False, padding="tf", groups=1):
        super().__init__(inputs, outputs, kernel, stride, 0 if padding == "tf" else padding, bias=bias, groups=groups)
        self.tf = padding == "tf"

    def forward(self, x):
        return super().forward(pad_same(x, self.kernel_size[0], self.stride[0]) if self.tf else x)


def pad_same(x, kernel, stride, value=0.0):
    margins = []
    for side in (x.shape[3], x.shape[2]):
        total = max((math.ceil(side / stride) - 1) * stride + kernel - side, 0)
        margins += [total // 2, total - total // 2]
    return F.pad(x, margins, value=value)


def max_pool_same(x, kernel, stride):
    return F.max_pool2d(pad_same(x, kernel, stride, -math.inf), kernel, stride)


def avg_pool_same(x, kernel, stride):
    """The mean of the pixels that are there."""
    present = torch.ones_like(x)
    total, count = (F.avg_pool2d(pad_same(each, kernel, stride), kernel, stride) for each in (x, present))
    return total / count


class BatchNorm(nn.BatchNorm2d):
    """Moves its variance by the biased variance, as Flax and TensorFlow do; PyTorch takes the unbiased one."""

    def __init__(self, channels, momentum=0.9, eps=1e-5):
        super().__init__(channels, eps=eps, momentum=1 - momentum)

    def forward(self, x):
        before = self.running_var.clone()
        y = super().forward(x)
        if self.training:
            self.running_var = (1 - self.momentum) * before + self.momentum * x.detach().var((0, 2, 3), unbiased=False)
        return y


class Named(nn.Module):
    """Modules by name, slashes for nesting."""

    def __init__(self, **modules):
        super().__init__()
        for name, module in modules.items():
            self.add(name, module)

    def add(self, name, module):
        first, _, rest = name.partition("/")
        if not rest:
            self.add_module(first, module)
            return module
        if first not in self._modules:
            self.add_module(first, Named())
        return self._modules[first].add(rest, module)

    def __getitem__(self, name):
        return self.get_submodule(name.replace("/", "."))


class ConvNorm(Named):
    """Convolution, then batch norm or, without it, a bias."""

    def __init__(self, *sizes, norm=True, bias=None, eps=1e-5, momentum=0.9, **options):
        super().__init__(conv=Conv(*sizes, bias=not norm if bias is None else bias, **options))
        if norm:
            self.norm = BatchNorm(sizes[1], momentum, eps)

    def forward(self, x):
        y = self.conv(x)
        return self.norm(y) if hasattr(self, "norm") else y


def zero_channels(x, outputs):
    return F.pad(x, (0, 0, 0, 0, 0, outputs - x.shape[1]))


def images_last(x):
    """Pixels in the order height, width, channels."""
    return x.permute(0, 2, 3, 1).flatten(1)


# --- Networks ---------------------------------------------------------------------------------------------------------------------


class Mlp(Named):
    def __init__(self, shape, classes, hidden, activation="relu"):
        super().__init__()
        sizes = [math.prod(shape), *hidden]
        self.hidden = [self.add(f"dense{i}", nn.Linear(*pair)) for i, pair in enumerate(zip(sizes, sizes[1:]))]
        self.head = nn.Linear(sizes[-1], classes)
        self.activation = {"relu": F.relu, "tanh": torch.tanh, "softplus": F.softplus}[activation]

    def forward(self, x):
        h = images_last(x)
        for layer in self.hidden:
            h = self.activation(layer(h))
        return self.head(h)


class ConvNet(Named):
    def __init__(self, shape, classes, widths, batchNorm=True):
        super().__init__()
        self.stages = []
        for i, (inputs, outputs) in enumerate(zip([shape[2], *widths], widths)):
            conv = self.add(f"conv{i}", nn.Conv2d(inputs, outputs, 3, padding=1, bias=not batchNorm))
            self.stages.append((conv, self.add(f"norm{i}", BatchNorm(outputs)) if batchNorm else nn.Identity()))
        self.head = nn.Linear(widths[-1], classes)

    def forward(self, x):
        for conv, norm in self.stages:
            x = avg_pool_same(F.relu(norm(conv(x))), 2, 2)
        return self.head(x.mean((2, 3)))


class WideResNet(Named):
    """Zagoruyko and Komodakis 2016, pre-activation; shortcuts by average pooling and zeros; the first starts after its ReLU."""

    def __init__(self, shape, classes, depth, widenFactor, batchNorm=True):
        super().__init__(stem=Conv(shape[2], 16, bias=not batchNorm))
        self.plan, inputs = [], 16
        for group in range(3):
            outputs = 16 * widenFactor * 2**group
            for block in range((depth - 4) // 6):
                stride = 2 if group > 0 and block == 0 else 1
                self.plan.append(
                    (
                        self.add(f"group{group}/block{block}/norm1", BatchNorm(inputs) if batchNorm else nn.Identity()),
                        self.add(f"group{group}/block{block}/conv1", Conv(inputs, outputs, 3, stride, bias=not batchNorm)),
                        self.add(f"group{group}/block{block}/norm2", BatchNorm(outputs) if batchNorm else nn.Identity()),
                        self.add(f"group{group}/block{block}/conv2", Conv(outputs, outputs, bias=not batchNorm)),
                        stride,
                    )
                )
                inputs = outputs
        self.add("norm", BatchNorm(inputs) if batchNorm else nn.Identity())
        self.head = nn.Linear(inputs, classes)

    def forward(self, x):
        h = self.stem(x)
        for i, (norm1, conv1, norm2, conv2, stride) in enumerate(self.plan):
            active = F.relu(norm1(h))
            branch = conv2(F.relu(norm2(conv1(active))))
            shortcut = avg_pool_same(active if i == 0 else h, stride, stride)
            h = branch + zero_channels(shortcut, branch.shape[1])
        return self.head(F.relu(self.norm(h)).mean((2, 3)))


class ResNetCifar(Named):
    """He et al. 2016, section 4.2: 6n + 2 layers, shortcuts of option A."""

    def __init__(self, shape, classes, depth, width, skipConnections=True, batchNorm=True, symmetricPadding=False):
        super().__init__()
        options = {"norm": batchNorm, "padding": 1 if symmetricPadding else "tf"}
        self.stem = ConvNorm(shape[2], width, **options)
        self.skip, self.blocks, inputs = skipConnections, [], width
        for group in range(3):
            outputs = width * 2**group
            for block in range((depth - 2) // 6):
                stride = 2 if group > 0 and block == 0 else 1
                name = f"group{group}/block{block}"
                first = self.add(f"{name}/1", ConvNorm(inputs, outputs, 3, stride, **options))
                self.blocks.append((first, self.add(f"{name}/2", ConvNorm(outputs, outputs, **options)), stride))
                inputs = outputs
        self.head = nn.Linear(inputs, classes)

    def forward(self, x):
        h = F.relu(self.stem(x))
        for first, second, stride in self.blocks:
            y = second(F.relu(first(h)))
            h = F.relu(y + zero_channels(h[:, :, ::stride, ::stride], y.shape[1]) if self.skip else y)
        return self.head(h.mean((2, 3)))


class ResNetImageNet(Named):
    """He et al. 2016, table 1, with the stride in the 3×3 convolution; the stem is padded by 3 on each side."""

    BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}

    def __init__(self, shape, classes, depth, width, symmetricPadding=False):
        super().__init__(stem=ConvNorm(shape[2], width, 7, 2, padding=3))
        self.symmetric, self.blocks, inputs = symmetricPadding, [], width
        for group, count in enumerate(self.BLOCKS[depth]):
            channels = width * 2**group
            for block in range(count):
                stride = 2 if group > 0 and block == 0 else 1
                name = f"group{group}/block{block}"
                branch = (
                    self.add(f"{name}/1", ConvNorm(inputs, channels, 1)),
                    self.add(f"{name}/2", ConvNorm(channels, channels, 3, stride, padding=1 if symmetricPadding else "tf")),
                    self.add(f"{name}/3", ConvNorm(channels, 4 * channels, 1)),
                )
                project = ConvNorm(inputs, 4 * channels, 1, stride, padding=0) if block == 0 else None
                self.blocks.append((branch, project and self.add(f"{name}/shortcut", project)))
                inputs = 4 * channels
        self.head = nn.Linear(inputs, classes)

    def forward(self, x):
        h = F.relu(self.stem(x))
        h = F.max_pool2d(h, 3, 2, padding=1) if self.symmetric else max_pool_same(h, 3, 2)
        for (contract, middle, expand), project in self.blocks:
            y = expand(F.relu(middle(F.relu(contract(h)))))
            h = F.relu(y + (project(h) if project else h))
        return self.head(h.mean((2, 3)))


class EfficientNet(Named):
    """Tan and Le 2019, table 1 and the published scaling; batch norm's epsilon 1e-3, momentum 0.99; SE of ¼ of a block's inputs."""

    # expansion, channels, layers, stride, kernel
    STAGES = (
        (1, 16, 1, 1, 3),
        (6, 24, 2, 2, 3),
        (6, 40, 2, 2, 5),
        (6, 80, 3, 2, 3),
        (6, 112, 3, 1, 5),
        (6, 192, 4, 2, 5),
        (6, 320, 1, 1, 3),
    )
    PUBLISHED = {"b0": (1.0, 1.0)}
    NORM = {"eps": 1e-3, "momentum": 0.99}

    def __init__(self, shape, classes, variant, **_):
        super().__init__()
        self.width, depth = (variant["width"], variant["depth"]) if isinstance(variant, dict) else self.PUBLISHED[variant]
        inputs = self.filters(32)
        self.stem = ConvNorm(shape[2], inputs, 3, 2, **self.NORM)
        self.blocks = []
        for group, (expansion, channels, layers, stride, kernel) in enumerate(self.STAGES):
            for block in range(math.ceil(layers * depth)):
                outputs = self.filters(channels)
                plan = MbConv(inputs, outputs, expansion, kernel, stride if block == 0 else 1, self.NORM)
                self.blocks.append(self.add(f"group{group}/block{block}", plan))
                inputs = outputs
        self.top = ConvNorm(inputs, self.filters(1280), 1, **self.NORM)
        self.head = nn.Linear(self.filters(1280), classes)

    def filters(self, channels):
        scaled = channels * self.width
        rounded = max(8, int(scaled + 4) // 8 * 8)
        return rounded + 8 if rounded < 0.9 * scaled else rounded

    def forward(self, x):
        h = F.silu(self.stem(x))
        for block in self.blocks:
            h = block(h)
        return self.head(F.silu(self.top(h)).mean((2, 3)))


class MbConv(Named):
    def __init__(self, inputs, outputs, expansion, kernel, stride, norm):
        super().__init__()
        wide = inputs * expansion
        self.keeps = stride == 1 and inputs == outputs
        if expansion > 1:
            self.expand = ConvNorm(inputs, wide, 1, **norm)
        self.depthwise = ConvNorm(wide, wide, kernel, stride, groups=wide, **norm)
        squeezed = max(1, inputs // 4)
        self.squeeze = Named(reduce=nn.Conv2d(wide, squeezed, 1), expand=nn.Conv2d(squeezed, wide, 1))
        self.project = ConvNorm(wide, outputs, 1, **norm)

    def forward(self, x):
        h = F.silu(self.expand(x)) if hasattr(self, "expand") else x
        h = F.silu(self.depthwise(h))
        gate = self.squeeze["expand"](F.silu(self.squeeze["reduce"](F.adaptive_avg_pool2d(h, 1))))
        y = self.project(h * torch.sigmoid(gate))
        return x + y if self.keeps else y


class Vit(Named):
    """Dosovitskiy et al. 2021, with PyTorch's own encoder layers."""

    def __init__(self, shape, classes, patchSize, width, depth, heads, mlpWidth=None):
        super().__init__(patches=nn.Conv2d(shape[2], width, patchSize, patchSize))
        tokens = 1 + (shape[0] // patchSize) * (shape[1] // patchSize)
        self.add_module("class", Parameter(1, 1, width))
        self.add_module("positions", Parameter(1, tokens, width))
        layer = {"dim_feedforward": mlpWidth or 4 * width, "dropout": 0.0, "activation": "gelu", "layer_norm_eps": 1e-6}
        self.blocks = [
            self.add(f"block{i}", nn.TransformerEncoderLayer(width, heads, batch_first=True, norm_first=True, **layer))
            for i in range(depth)
        ]
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        patches = self.patches(x).flatten(2).transpose(1, 2)
        first = self["class"].value.expand(len(x), -1, -1)
        h = torch.cat([first, patches], 1) + self.positions.value
        for block in self.blocks:
            h = block(h)
        return self.head(self.norm(h[:, 0]))


class Parameter(nn.Module):
    def __init__(self, *shape):
        super().__init__()
        self.value = nn.Parameter(torch.zeros(shape))


class Vgg(Named):
    """Simonyan and Zisserman 2015, table 1."""

    COLUMNS = {11: (1, 1, 2, 2, 2), 16: (2, 2, 3, 3, 3)}

    def __init__(self, shape, classes, depth, width, batchNorm=True, hidden=()):
        super().__init__()
        self.stages, inputs = [], shape[2]
        for stage, count in enumerate(self.COLUMNS[depth]):
            layers = []
            for i in range(count):
                outputs = width * (1, 2, 4, 8, 8)[stage]
                layers.append(self.add(f"stage{stage}/{i}", ConvNorm(inputs, outputs, 3, padding=1, norm=batchNorm, bias=True)))
                inputs = outputs
            self.stages.append(layers)
        sizes = [inputs * (shape[0] // 32) * (shape[1] // 32), *hidden]
        self.hidden = [self.add(f"dense{i}", nn.Linear(*pair)) for i, pair in enumerate(zip(sizes, sizes[1:]))]
        self.head = nn.Linear(sizes[-1], classes)

    def forward(self, x):
        for layers in self.stages:
            for layer in layers:
                x = F.relu(layer(x))
            x = F.max_pool2d(x, 2)
        h = images_last(x)
        for layer in self.hidden:
            h = F.relu(layer(h))
        return self.head(h)


class NetworkInNetwork(Named):
    """Lin et al. 2014, the network for CIFAR: pools of 3 pixels and stride 2 whose last windows may stick out, as Caffe's."""

    def __init__(self, shape, classes, width, batchNorm=True, **_):
        super().__init__()
        plans = ((5, width, width * 160 // 192, width // 2), (5, width, width, width), (3, width, width))
        self.stages, inputs = [], shape[2]
        for stage, (kernel, *widths) in enumerate(plans):
            layers = []
            for i, outputs in enumerate(widths):
                side = kernel if i == 0 else 1
                conv = ConvNorm(inputs, outputs, side, padding=side // 2, norm=batchNorm, bias=True)
                layers.append(self.add(f"stage{stage}/{i}", conv))
                inputs = outputs
            self.stages.append(layers)
        self.head = nn.Conv2d(inputs, classes, 1)

    def forward(self, x):
        pools = (nn.MaxPool2d(3, 2, ceil_mode=True), nn.AvgPool2d(3, 2, ceil_mode=True), nn.Identity())
        for layers, pool in zip(self.stages, pools):
            for layer in layers:
                x = F.relu(layer(x))
            x = pool(x)
        return self.head(x).mean((2, 3))


class PyramidNet(Named):
    """Han et al. 2017 with bottlenecks; ShakeDrop (Yamada et al. 2019) at its mean, 1 − l/(2L) for block l of L."""

    def __init__(self, shape, classes, depth, alpha, shakeDrop=False):
        super().__init__(stem=ConvNorm(shape[2], 16))
        count, inputs = (depth - 2) // 9, 16
        self.blocks = []
        for l in range(1, 3 * count + 1):
            name = f"group{(l - 1) // count}/block{(l - 1) % count}"
            channels = round(16 + alpha * l / (3 * count))
            stride = 2 if l > 1 and (l - 1) % count == 0 else 1
            branch = nn.Sequential(
                self.add(f"{name}/norm0", BatchNorm(inputs)),
                self.add(f"{name}/conv1", Conv(inputs, channels, 1)),
                self.add(f"{name}/norm1", BatchNorm(channels)),
                nn.ReLU(),
                self.add(f"{name}/conv2", Conv(channels, channels, 3, stride)),
                self.add(f"{name}/norm2", BatchNorm(channels)),
                nn.ReLU(),
                self.add(f"{name}/conv3", Conv(channels, 4 * channels, 1)),
                self.add(f"{name}/norm3", BatchNorm(4 * channels)),
            )
            self.blocks.append((branch, 1 - l / (6 * count) if shakeDrop else 1.0, stride))
            inputs = 4 * channels
        self.norm = BatchNorm(inputs)
        self.head = nn.Linear(inputs, classes)

    def forward(self, x):
        h = self.stem(x)
        for branch, survival, stride in self.blocks:
            y = survival * branch(h)
            h = y + zero_channels(F.avg_pool2d(h, stride), y.shape[1])
        return self.head(F.relu(self.norm(h)).mean((2, 3)))


class ShakeShake(Named):
    """Gastaldi 2017, both gates at ½; two branches ReLU, conv, norm, ReLU, conv, norm; shortcuts in two paths, the second one pixel on."""

    def __init__(self, shape, classes, depth, width):
        super().__init__(stem=ConvNorm(shape[2], 16))
        self.blocks, inputs = [], 16
        for group in range(3):
            outputs = width * 2**group
            for block in range((depth - 2) // 6):
                name, stride = f"group{group}/block{block}", 2 if group > 0 and block == 0 else 1
                branches = [
                    nn.Sequential(
                        nn.ReLU(),
                        self.add(f"{name}/{path}/conv1", Conv(inputs, outputs, 3, stride)),
                        self.add(f"{name}/{path}/norm1", BatchNorm(outputs)),
                        nn.ReLU(),
                        self.add(f"{name}/{path}/conv2", Conv(outputs, outputs)),
                        self.add(f"{name}/{path}/norm2", BatchNorm(outputs)),
                    )
                    for path in "ab"
                ]
                paths = None
                if inputs != outputs:
                    halves = [self.add(f"{name}/shortcut/conv{i}", nn.Conv2d(inputs, outputs // 2, 1, bias=False)) for i in (1, 2)]
                    paths = (*halves, self.add(f"{name}/shortcut/norm", BatchNorm(outputs)))
                self.blocks.append((branches, paths, stride))
                inputs = outputs
        self.head = nn.Linear(inputs, classes)

    def forward(self, x):
        h = self.stem(x)
        for (a, b), paths, stride in self.blocks:
            h = self.shortcut(h, paths, stride) + (a(h) + b(h)) / 2
        return self.head(F.relu(h).mean((2, 3)))

    def shortcut(self, h, paths, stride):
        if paths is None:
            return h
        here, beside, norm = paths
        moved = F.pad(h[:, :, 1:, 1:], (0, 1, 0, 1))
        return norm(torch.cat([here(h[:, :, ::stride, ::stride]), beside(moved[:, :, ::stride, ::stride])], 1))


# --- Images and variables by formula: test/support/networks.ts ----------------------------------------------------------------------


def wave(count, phase):
    return torch.tensor([math.sin(0.7 * (i * i) + phase) for i in range(count)])


def phase(name):
    return sum((k + 1) * ord(letter) for k, letter in enumerate(name))


def images(shape):
    values = wave(BATCH * math.prod(shape), 0)
    return values.float().double().reshape(BATCH, *shape).permute(0, 3, 1, 2)


RENAMED = (
    ("self_attn/in_proj_weight", "attention/qkv/kernel"),
    ("self_attn/in_proj_bias", "attention/qkv/bias"),
    ("self_attn/out_proj", "attention/out"),
    ("linear", "mlp/"),
    ("/value", ""),
    ("running_mean", "mean"),
    ("running_var", "variance"),
)


def tensors(network):
    """Each parameter and moving average by sharpness-lab's name."""
    norms = {name for name, module in network.named_modules() if isinstance(module, (BatchNorm, nn.LayerNorm))}
    for name, tensor in network.state_dict(keep_vars=True).items():
        if name.endswith("num_batches_tracked"):
            continue
        module, _, leaf = name.rpartition(".")
        leaf = {"weight": "scale", "bias": "offset"}.get(leaf, leaf) if module in norms else {"weight": "kernel"}.get(leaf, leaf)
        name = f"{module}.{leaf}".replace(".", "/")
        for theirs, ours in RENAMED:
            name = name.replace(theirs, ours)
        yield name, tensor


def ours(tensor, name):
    """In sharpness-lab's order: (height, width, inputs, outputs), depthwise (height, width, channels, 1), dense (inputs, outputs)."""
    if "depthwise/conv" in name:
        return tensor.permute(2, 3, 0, 1)
    return tensor.permute(2, 3, 1, 0) if tensor.ndim == 4 else tensor.T if tensor.ndim == 2 else tensor


def fill(network):
    with torch.no_grad():
        for name, tensor in tensors(network):
            view = ours(tensor, name)
            values = wave(view.numel(), phase(name))
            if name.endswith("/kernel"):
                inputs = math.prod(view.shape[:2]) if "depthwise" in name else math.prod(view.shape[:-1])
                values = values * 2 / math.sqrt(inputs)
            elif name.endswith("/scale"):
                values = 0.5 + 0.3 * values
            elif name.endswith("/variance"):
                values = 0.6 + 0.2 * values
            else:
                values = 0.3 * values
            view.copy_(values.float().double().reshape(view.shape))


# --- What they compute --------------------------------------------------------------------------------------------------------------


def digits(value):
    return float(f"{value:.7g}")


def summary(tensor, name):
    flat = ours(tensor.detach(), name).flatten()
    return [digits(flat.norm().item()), digits((flat * wave(flat.numel(), 1)).sum().item())]


def results(network, shape, classes, batch):
    fill(network)
    network.train(batch)
    network.zero_grad()
    logits = network(images(shape))
    F.cross_entropy(logits, torch.arange(BATCH) % classes).backward()
    found = dict(tensors(network))
    gradients = {name: summary(tensor.grad, name) for name, tensor in found.items() if tensor.requires_grad}
    averages = {name: summary(tensor, name) for name, tensor in found.items() if not tensor.requires_grad}
    return {"logits": [digits(v) for v in logits.flatten().tolist()], "gradients": gradients, "stats": averages if batch else {}}


def case(network, shape, **options):
    return network, shape, options


CASES = {
    "mlp": [case(Mlp, (3, 4, 2), hidden=[7, 5], activation=name) for name in ("relu", "tanh", "softplus")],
    "convNet": [case(ConvNet, (16, 14, 2), widths=[3, 5]), case(ConvNet, (7, 8, 3), widths=[3, 5], batchNorm=False)],
    "wideResNet": [
        case(WideResNet, (15, 13, 2), depth=10, widenFactor=1),
        case(WideResNet, (14, 16, 1), depth=16, widenFactor=2),
        case(WideResNet, (16, 16, 3), depth=10, widenFactor=1, batchNorm=False),
    ],
    "resNetCifar": [
        case(ResNetCifar, (16, 16, 3), depth=20, width=4),
        case(ResNetCifar, (15, 16, 3), depth=14, width=4, skipConnections=False),
        case(ResNetCifar, (16, 16, 3), depth=14, width=4, batchNorm=False),
        case(ResNetCifar, (16, 16, 3), depth=8, width=4, symmetricPadding=True),
    ],
    "resNetImageNet": [
        case(ResNetImageNet, (64, 64, 3), depth=50, width=4, symmetricPadding=True),
        case(ResNetImageNet, (64, 64, 3), depth=50, width=4),
        case(ResNetImageNet, (64, 64, 3), depth=101, width=2),
        case(ResNetImageNet, (64, 64, 3), depth=152, width=2),
    ],
    "efficientNet": [
        case(EfficientNet, (64, 64, 3), variant="b0", dropout=0, dropConnect=0),
        case(EfficientNet, (71, 66, 3), variant={"width": 0.3, "depth": 1.3, "resolution": 64, "dropout": 0}, dropConnect=0),
        case(EfficientNet, (300, 301, 3), variant={"width": 0.1, "depth": 0.3, "resolution": 300, "dropout": 0}, dropConnect=0),
    ],
    "vit": [
        case(Vit, (8, 12, 3), patchSize=4, width=12, depth=3, heads=3),
        case(Vit, (8, 8, 1), patchSize=2, width=8, depth=2, heads=2, mlpWidth=10),
    ],
    "vgg": [
        case(Vgg, (64, 64, 3), depth=11, width=4, hidden=[9, 6]),
        case(Vgg, (32, 32, 3), depth=16, width=4, batchNorm=False),
    ],
    "networkInNetwork": [
        case(NetworkInNetwork, (16, 16, 3), width=12, dropout=0),
        case(NetworkInNetwork, (16, 16, 3), width=12, dropout=0, batchNorm=False),
    ],
    "pyramidNet": [
        case(PyramidNet, (16, 16, 3), depth=29, alpha=13),
        case(PyramidNet, (16, 16, 3), depth=20, alpha=10, shakeDrop=True),
    ],
    "shakeShake": [case(ShakeShake, (16, 16, 3), depth=14, width=4)],
}
CLASSES = 3


def main():
    lines = []
    for name, cases in CASES.items():
        for network, shape, options in cases:
            record = {"name": name, "options": {"inputShape": shape, "numClasses": CLASSES, **options}}
            for mode in ("inference", "batch"):
                record[mode] = results(network(shape, CLASSES, **options), shape, CLASSES, mode == "batch")
            lines.append(json.dumps(record, separators=(",", ":")))
    Path(__file__).with_suffix(".json").write_text("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()
