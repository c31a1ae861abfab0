"""The yardstick of `npm run bench`: the same networks in PyTorch, eager, channels_last.

Reads one JSON request a line from standard input and answers with one JSON line; ends with the input.
SGD: Nesterov momentum, the L2 term in the loss, the gradient clipped by its global norm, as the official code. SAM: two passes,
batch-norm statistics from pass 1, the L2 term in both gradients. Hessian-vector product: double backward, batch norm in
inference mode.
"""

import base64
import json
import sys
from time import perf_counter, process_time

import torch
from torch import nn
from torch.nn import functional as F


class WideResNet(nn.Module):
    """Layers are named as in sharpness-lab's weights, here and below."""

    def __init__(self, depth, widenFactor):
        super().__init__()
        layers = {"stem": nn.Conv2d(1, 16, 3, padding=1, bias=False)}
        self.blocks, inputs = [], 16
        for group in range(3):
            for block in range((depth - 4) // 6):
                outputs = 16 * widenFactor * 2**group
                self.blocks.append((f"group{group}/block{block}", inputs, outputs, 2 if group > 0 and block == 0 else 1))
                inputs = outputs
        for name, inputs, outputs, stride in self.blocks:
            layers[f"{name}/norm1"] = nn.BatchNorm2d(inputs)
            layers[f"{name}/conv1"] = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
            layers[f"{name}/norm2"] = nn.BatchNorm2d(outputs)
            layers[f"{name}/conv2"] = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        layers["norm"] = nn.BatchNorm2d(outputs)
        layers["head"] = nn.Linear(outputs, 10)
        self.layers = nn.ModuleDict(layers)

    def forward(self, x):
        h = self.layers["stem"](x)
        for name, inputs, outputs, stride in self.blocks:
            h = self.block(h, name, outputs - inputs, stride)
        h = F.relu(self.layers["norm"](h))
        return self.layers["head"](h.mean((2, 3)))

    def block(self, x, name, extra, stride):
        active = F.relu(self.layers[f"{name}/norm1"](x))
        inner = self.layers[f"{name}/conv1"](active)
        branch = self.layers[f"{name}/conv2"](F.relu(self.layers[f"{name}/norm2"](inner)))
        shortcut = active if name == "group0/block0" else x
        if stride > 1:
            shortcut = F.avg_pool2d(shortcut, stride)
        return branch + F.pad(shortcut, (0, 0, 0, 0, 0, extra)) if extra else branch + shortcut


class ConvNet(nn.Module):
    def __init__(self, widths):
        super().__init__()
        layers, inputs = {}, 1
        for i, width in enumerate(widths):
            layers[f"conv{i}"] = nn.Conv2d(inputs, width, 3, padding=1, bias=False)
            layers[f"norm{i}"] = nn.BatchNorm2d(width)
            inputs = width
        layers["head"] = nn.Linear(inputs, 10)
        self.layers, self.stages = nn.ModuleDict(layers), len(widths)

    def forward(self, x):
        for i in range(self.stages):
            x = F.relu(self.layers[f"norm{i}"](self.layers[f"conv{i}"](x)))
            x = F.avg_pool2d(x, 2, ceil_mode=True, count_include_pad=False)
        return self.layers["head"](x.mean((2, 3)))


class Mlp(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        sizes = [784, *hidden]
        layers = {f"dense{i}": nn.Linear(sizes[i], units) for i, units in enumerate(hidden)}
        layers["head"] = nn.Linear(sizes[-1], 10)
        self.layers, self.stages = nn.ModuleDict(layers), len(hidden)

    def forward(self, x):
        x = x.flatten(1)
        for i in range(self.stages):
            x = F.relu(self.layers[f"dense{i}"](x))
        return self.layers["head"](x)


NETWORKS = {"wideResNet": WideResNet, "convNet": ConvNet, "mlp": Mlp}


class TensorFlowPadding(nn.Conv2d):
    """A strided 3×3 convolution on an even side, padded on the right and below only, as TensorFlow's "same"."""

    def forward(self, x):
        return F.conv2d(F.pad(x, (0, 1, 0, 1)), self.weight, stride=self.stride)


def decode(encoded):
    return torch.frombuffer(bytearray(base64.b64decode(encoded["data"])), dtype=torch.float32).reshape(encoded["shape"])


def make_network(weights, spec):
    kind, options = spec["kind"], {name: value for name, value in spec.items() if name != "kind"}
    network = NETWORKS[kind](**options)
    with torch.no_grad():
        for name, encoded in weights.items():
            layer, part = name.rsplit("/", 1)
            parameter = getattr(network.layers[layer], {"kernel": "weight", "scale": "weight"}.get(part, "bias"))
            value = decode(encoded)
            order = {4: (3, 2, 0, 1), 2: (1, 0), 1: (0,)}[value.ndim]
            parameter.copy_(value.permute(order))
    return network.to(memory_format=torch.channels_last)


class Training:
    """SGD, or SAM where rho > 0."""

    def __init__(self, network, batch, settings, rho):
        self.network, self.batch, self.settings, self.rho = network, batch, settings, rho
        self.parameters = list(network.parameters())
        self.norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
        self.optimizer = torch.optim.SGD(
            self.parameters, lr=settings["learningRate"], momentum=settings["momentum"], nesterov=True
        )

    def gradient(self):
        images, targets = self.batch
        self.optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(self.network(images), targets)
        loss.backward()
        gradients = [parameter.grad for parameter in self.parameters]
        with torch.no_grad():
            torch._foreach_add_(gradients, self.parameters, alpha=self.settings["weightDecay"])
        return loss.detach()

    def step(self):
        first = last = self.gradient()
        if self.rho > 0:
            last = self.second_pass()
        nn.utils.clip_grad_norm_(self.parameters, self.settings["clipNorm"])
        self.optimizer.step()
        return first.item(), last.item()

    @torch.no_grad()
    def second_pass(self):
        gradients = [parameter.grad for parameter in self.parameters]
        norm = torch.stack(torch._foreach_norm(gradients)).norm()
        before = [parameter.clone() for parameter in self.parameters]
        torch._foreach_add_(self.parameters, torch._foreach_mul(gradients, self.rho / norm))
        self.move_averages(False)
        with torch.enable_grad():
            loss = self.gradient()
        self.move_averages(True)
        torch._foreach_copy_(self.parameters, before)
        return loss

    def move_averages(self, on):
        for norm in self.norms:
            norm.track_running_stats = on


def hessian_vector_product(network, batch, vector):
    images, targets = batch
    parameters = list(network.parameters())
    loss = F.cross_entropy(network(images), targets)
    gradients = torch.autograd.grad(loss, parameters, create_graph=True)
    slope = sum((gradient * part).sum() for gradient, part in zip(gradients, vector))
    return torch.autograd.grad(slope, parameters)


def trace(network, batch, settings, steps, rho):
    """The numbers themselves, for a comparison with another implementation."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.stride == (2, 2):
            module.__class__ = TensorFlowPadding
    vector = [parameter.detach().clone() for parameter in network.parameters()]
    product = hessian_vector_product(network.eval(), batch, vector)
    curvature = sum((part * row).sum().item() for part, row in zip(vector, product))
    training = Training(network.train(), batch, settings, rho)
    return {"losses": [training.step() for _ in range(steps)], "curvature": curvature}


def timed(count, fn):
    times, cpu = [], []
    for _ in range(count):
        start, used = perf_counter(), process_time()
        fn()
        times.append(1000 * (perf_counter() - start))
        cpu.append(1000 * (process_time() - used))
    return {"ms": times, "cpu": cpu}


class Bench:
    def setUp(self, weights, batch, settings, network=None):
        torch.set_num_threads(settings["threads"])
        images = decode(batch["images"]).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
        self.settings = settings
        make = self.make = lambda: make_network(weights, network or {"kind": "wideResNet", "depth": 10, "widenFactor": 2})
        self.batch = images, decode(batch["targets"]).argmax(1)
        self.sgd, self.sam = (Training(make(), self.batch, settings, rho) for rho in (0, settings["rho"]))
        self.fixed = make().eval()
        self.vector = [torch.randn_like(parameter) for parameter in self.fixed.parameters()]
        return {"version": torch.__version__, "threads": torch.get_num_threads()}

    def sgdStep(self, count):
        return timed(count, self.sgd.step)

    def samStep(self, count):
        return timed(count, self.sam.step)

    def hvp(self, count):
        return timed(count, lambda: hessian_vector_product(self.fixed, self.batch, self.vector))

    def trace(self, steps, rho):
        return trace(self.make(), self.batch, self.settings, steps, rho)

    def evaluate(self, count):
        with torch.inference_mode():
            return timed(count, lambda: self.fixed(self.batch[0]).argmax(1))


def main():
    bench = Bench()
    for line in sys.stdin:
        request = json.loads(line)
        answer = getattr(bench, request.pop("task"))(**request)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
