import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Rng, tf } from "../../src/engine";
import { convNet, loadPretrained, readSafetensors, resNetImageNet, saveVariables, withPretrained } from "../../src/models";
import { expectNoLeak, tidyTests } from "../support/noLeak";
import { waveImages, waveVariables } from "../support/networks";
import { valuesOf } from "../support/training";

const ofClasses = (numClasses: number) => convNet({ inputShape: [4, 4, 1], numClasses, widths: [3] });

/** torchvision and safetensors.torch as far as the how-to uses them: a ResNet of one block a group, width 2, whose tensor k holds k, k + 0.001 … */
const STAND_IN = `
import json, struct, sys, types

class Tensor:
    def __init__(self, shape, values):
        self.shape, self.values = list(shape), values
    def dim(self):
        return len(self.shape)
    def contiguous(self):
        return self
    @property
    def T(self):
        return self.permute(1, 0)
    def permute(self, *axes):
        shape = [self.shape[a] for a in axes]
        strides = [1] * self.dim()
        for i in reversed(range(self.dim() - 1)):
            strides[i] = strides[i + 1] * self.shape[i + 1]
        places = [0]
        for a in axes:
            places = [p + i * strides[a] for p in places for i in range(self.shape[a])]
        return Tensor(shape, [self.values[p] for p in places])

def norm(name, n):
    return {name + "." + part: [n] for part in ("weight", "bias", "running_mean", "running_var")} | {name + ".num_batches_tracked": []}

def resnet50(weights):
    shapes = {"conv1.weight": [2, 3, 7, 7]} | norm("bn1", 2)
    inputs = 2
    for group in range(4):
        channels, layer = 2 * 2**group, "layer%d.0." % (group + 1)
        for i, shape in enumerate([[channels, inputs, 1, 1], [channels, channels, 3, 3], [4 * channels, channels, 1, 1]]):
            shapes[layer + "conv%d.weight" % (i + 1)] = shape
            shapes |= norm(layer + "bn%d" % (i + 1), shape[0])
        shapes[layer + "downsample.0.weight"] = [4 * channels, inputs, 1, 1]
        shapes |= norm(layer + "downsample.1", 4 * channels)
        inputs = 4 * channels
    shapes |= {"fc.weight": [10, inputs], "fc.bias": [10]}
    state = {}
    for k, (name, shape) in enumerate(shapes.items()):
        size = 1
        for side in shape:
            size *= side
        state[name] = Tensor(shape, [k + 0.001 * i for i in range(size)])
    return types.SimpleNamespace(state_dict=lambda: state)

def save_file(tensors, file):
    header, data = {}, b""
    for name, t in tensors.items():
        raw = struct.pack("<%df" % len(t.values), *t.values)
        header[name] = {"dtype": "F32", "shape": t.shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    open(file, "wb").write(struct.pack("<Q", len(text)) + text + data)

for name, content in {"safetensors": {}, "safetensors.torch": {"save_file": save_file}, "torchvision": {}, "torchvision.models": {"resnet50": resnet50}}.items():
    sys.modules[name] = types.ModuleType(name)
    vars(sys.modules[name]).update(content)
`;

describe("models/pretrained", () => {
  tidyTests();
  let folder: string;
  before(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), "pretrained-"))));
  after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const place = (name: string) => path.join(folder, name);

  it("A pretrained network starts from the given variables, but for a last layer that is new and random", () => {
    const [old, fresh] = [ofClasses(5), ofClasses(2)];
    const given = waveVariables(old);

    const start = withPretrained(fresh, given).init(new Rng(1));
    const random = fresh.init(new Rng(1));

    assert.deepEqual(valuesOf(start.stats), valuesOf(given.stats));
    for (const { name } of fresh.parameters)
      assert.deepEqual(
        [...start.weights[name]!.dataSync()],
        [...(name.startsWith("head/") ? random : given).weights[name]!.dataSync()],
        name,
      );
  });

  it("The new last layer differs from seed to seed, and the rest does not", () => {
    const model = withPretrained(ofClasses(2), waveVariables(ofClasses(2)));
    const [a, b] = [valuesOf(model.init(new Rng(1)).weights), valuesOf(model.init(new Rng(2)).weights)];

    assert.notDeepEqual(a["head/kernel"], b["head/kernel"]);
    assert.deepEqual(a["conv0/kernel"], b["conv0/kernel"]);
  });

  it("With newHead: false the whole network is the trained one: the same logits", () => {
    const model = ofClasses(3);
    const given = waveVariables(model);
    const x = waveImages(model, 2);
    saveVariables(place("whole"), given);

    const loaded = loadPretrained(place("whole"), model, { newHead: false });
    const { weights, stats } = loaded.init(new Rng(0));

    assert.deepEqual(
      [...loaded.apply(weights, x, { stats }).logits.dataSync()],
      [...model.apply(given.weights, x, { stats: given.stats }).logits.dataSync()],
    );
  });

  it("Other variables give another name, so that a checkpoint is not taken for that of another start", () => {
    const model = ofClasses(2);
    const [one, other] = [waveVariables(model), model.init(new Rng(0))];

    assert.match(withPretrained(model, one).name, /^ConvNet-3 from [0-9a-f]{8}$/);
    assert.notEqual(withPretrained(model, one).name, withPretrained(model, other).name);
  });

  it("A file of another network is refused, its last layer aside, and nothing leaks", () => {
    saveVariables(place("small"), waveVariables(ofClasses(7)));
    const { "norm0/mean": _, ...rest } = waveVariables(ofClasses(7)).stats;
    const wide = convNet({ inputShape: [4, 4, 1], numClasses: 7, widths: [5] });

    expectNoLeak(() => {
      assert.equal(loadPretrained(place("small"), ofClasses(2)).numClasses, 2);
      assert.throws(() => loadPretrained(place("small"), wide), /conv0\/kernel is \[3, 3, 1, 3\], expected \[3, 3, 1, 5\]/);
      assert.throws(
        () => loadPretrained(place("small"), ofClasses(2), { newHead: false }),
        /weights\/head\/kernel is \[3, 7\], expected \[3, 2\]/,
      );
    });
    assert.throws(
      () => withPretrained(ofClasses(2), { weights: waveVariables(ofClasses(7)).weights, stats: rest }),
      /norm0\/mean is missing, expected \[3\]/,
    );
  });

  it("The how-to's Python gives every tensor of PyTorch's ResNet its name, shape and order here", () => {
    const howTo = fs.readFileSync(path.join(__dirname, "../../src/models/WEIGHTS.md"), "utf8");
    const code = /```python\n([\s\S]*?)```/.exec(howTo)![1]!;
    const ours = resNetImageNet({ depth: 14, width: 2, numClasses: 4, inputShape: [32, 32, 3], symmetricPadding: true });

    execFileSync("python3", ["-c", STAND_IN + code], { cwd: folder });
    const { weights, stats } = loadPretrained(place("resnet50.safetensors"), ours).init(new Rng(0));

    // Tensor 0 is conv1.weight: (o, i, h, w) is number ((o·3 + i)·7 + h)·7 + w of it, and holds that many thousandths.
    const stem = weights["stem/conv/kernel"] as tf.Tensor4D;
    const [h, w, i, o] = [2, 5, 1, 1];
    assert.equal(stem.bufferSync().get(h, w, i, o), Math.fround(0.001 * (((o * 3 + i) * 7 + h) * 7 + w)));
    // Tensors 1 to 4 are bn1's weight, bias, mean and variance.
    const first = (tensor: tf.Tensor | undefined) => tensor!.dataSync()[0];
    assert.deepEqual(
      [weights["stem/norm/scale"], weights["stem/norm/offset"], stats["stem/norm/mean"], stats["stem/norm/variance"]].map(first),
      [1, 2, 3, 4],
    );
    // fc.weight is (outputs, inputs) there, (inputs, outputs) here: output 1 of input 0 is number 64 there.
    const head = readSafetensors(place("resnet50.safetensors"))["weights/head/kernel"] as tf.Tensor2D;
    const base = Math.floor(head.bufferSync().get(0, 0) + 1e-3);
    assert.deepEqual(head.shape, [64, 10]);
    assert.equal(head.bufferSync().get(0, 1), Math.fround(base + 0.064));
  });
});
