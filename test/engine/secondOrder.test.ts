import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { hvpOfTensors, tf } from "../../src/engine";
import { BACKENDS, startEngine, type BackendName } from "../../src/engine/backend";
import { exactOps, refusedOps, type OpCase } from "./opCases";

type Vectors = Float32Array[];

interface Truth {
  readonly shapes: number[][];
  readonly gradient: number[][];
  readonly hvp: number[][] | null;
}
const truth = JSON.parse(readFileSync(path.join(__dirname, "torchOps.json"), "utf8")) as Record<string, Truth>;

/** One op on the running engine, in the loss ½Σ w·y² of torchOps.py, so that first derivatives of y count at second order too. */
class Probe {
  readonly points: Vectors;
  constructor(
    readonly example: OpCase,
    readonly shapes: readonly (readonly number[])[],
  ) {
    this.points = shapes.map((shape, i) => spread(size(shape), i));
  }

  loss = (inputs: tf.Tensor[]): tf.Scalar => {
    const y = this.example.run(...inputs);
    return tf.mul(tf.sum(tf.mul(tf.square(y), lossWeights(y.shape))), 0.5);
  };

  gradient(): Vectors {
    return tf.tidy(() =>
      tf
        .grads((...x: tf.Tensor[]) => this.loss(x))(this.tensors(this.points))
        .map(toArray),
    );
  }

  hvp(): Vectors {
    const directions = this.shapes.map((shape, i) => direction(size(shape), i));
    return tf.tidy(() => hvpOfTensors(this.loss, this.tensors(this.points), this.tensors(directions)).map(toArray));
  }

  private tensors(values: Vectors): tf.Tensor[] {
    return values.map((value, i) => tf.tensor(value, [...this.shapes[i]!]));
  }
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** Values in [−2, 2] in mixed order, all at least 4/n apart and 2/n from zero, so that no op has a kink near them. */
function spread(n: number, offset: number): Float32Array {
  let step = Math.max(1, Math.floor(0.62 * n));
  while (gcd(step, n) !== 1) step--;
  return Float32Array.from({ length: n }, (_, j) => ((((j * step + 3 * offset + 1) % n) + 0.5) * 4) / n - 2 + (n % 2) / n);
}

function direction(n: number, offset: number): Float32Array {
  return Float32Array.from({ length: n }, (_, j) => Math.cos(1 + 2 * j + 3 * offset));
}

function lossWeights(shape: number[]): tf.Tensor {
  return tf.tensor(
    Float32Array.from({ length: size(shape) }, (_, i) => 1 + Math.sin(3 * i) / 2),
    shape,
  );
}

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const toArray = (t: tf.Tensor) => t.dataSync() as Float32Array;

/** ‖actual − expected‖ / ‖expected‖ over all inputs, or the norm itself where nothing but 0 is right. */
function relativeError(actual: Vectors, expected: number[][]): number {
  const norm = (x: number[]) => Math.hypot(...x);
  const flat = expected.flat();
  return norm(actual.flatMap((v) => [...v]).map((x, i) => x - flat[i]!)) / (norm(flat) || 1);
}

for (const backend of ["native", "wasm", "cpu"] as const) describeOn(backend);

function describeOn(backend: BackendName): void {
  const here = <T extends OpCase>(list: T[]) => list.filter(({ engines }) => engines.includes(backend));
  describe(`derivatives on the ${backend} engine`, () => {
    before(async function () {
      await startEngine(backend).catch(() => this.skip());
    });
    after(() => startEngine("native").catch(() => startEngine("cpu")));
    for (const example of here(exactOps())) itIsExact(example);
    for (const example of here(refusedOps())) itRefuses(example, example.refuses, example.shapes ?? truth[example.op]!.shapes);
  });
}

function itIsExact(example: OpCase): void {
  it(`${example.op}: gradient and Hessian-vector product are PyTorch's`, () => {
    const { shapes, gradient, hvp } = truth[example.op]!;
    const probe = new Probe(example, shapes);
    const tensors = tf.memory().numTensors;

    const errors = [relativeError(probe.gradient(), gradient), relativeError(probe.hvp(), hvp!)];

    assert.equal(tf.memory().numTensors, tensors, "tensors leaked");
    assert.ok(errors[0]! < 2e-5, `the gradient is off by ${errors[0]}`);
    assert.ok(errors[1]! < 2e-5, `Hv is off by ${errors[1]}`);
  });
}

function itRefuses(example: OpCase, order: "first" | "second", shapes: readonly (readonly number[])[]): void {
  it(`${example.op}: no ${order} derivative, and an error names the op, also beside weight decay`, () => {
    const probe = new Probe(example, shapes);
    const plain = probe.loss;
    const known = order === "second" ? relativeError(probe.gradient(), truth[example.op]!.gradient) : 0;
    const tensors = tf.memory().numTensors;
    probe.loss = (x) => tf.add(plain(x), tf.sum(tf.square(x[0]!))) as tf.Scalar;

    assert.throws(() => probe.hvp(), /no gradient is known for "/);

    if (order === "first") assert.throws(() => probe.gradient(), /no gradient is known for "/);
    assert.equal(tf.memory().numTensors, tensors, "tensors leaked");
    assert.ok(known < 2e-5, `the gradient is off by ${known}`);
  });
}

describe("the list of ops", () => {
  it("names no op twice, and engines that exist", () => {
    const all = [...exactOps(), ...refusedOps()];

    assert.equal(new Set(all.map(({ op }) => op)).size, all.length);
    assert.ok(all.every(({ engines }) => engines.length > 0 && engines.every((name) => BACKENDS.includes(name))));
  });

  it("holds every op of PyTorch's file", () => {
    const known = new Set([...exactOps(), ...refusedOps()].map(({ op }) => op));

    assert.deepEqual(
      Object.keys(truth).filter((op) => !known.has(op)),
      [],
    );
  });
});
