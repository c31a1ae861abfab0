import assert from "node:assert/strict";
import { tf } from "../../src/engine";
import { BACKENDS, startEngine, type BackendName } from "../../src/engine/backend";
import { Rng } from "../../src/engine/rng";
import { secondOrderCases, secondOrderTable, uncoveredOps, type SecondOrderCase } from "../../src/engine/secondOrder";

type Vectors = Float32Array[];

/** One case on the running engine: the loss is Σ w·y²/2 with fixed weights w, so that first derivatives of y count too. */
class Probe {
  readonly points: Vectors;
  constructor(readonly example: SecondOrderCase) {
    this.points = example.shapes.map((shape, i) => apart(size(shape), new Rng(`${example.op} ${i}`)));
  }

  loss = (inputs: tf.Tensor[]): tf.Scalar => {
    const y = this.example.run(...inputs);
    return tf.mul(tf.sum(tf.mul(tf.square(y), lossWeights(y.shape))), 0.5);
  };

  /** In float64, but for y itself. */
  value(at: Vectors): number {
    return tf.tidy(() => {
      const y = this.example.run(...this.tensors(at));
      const weights = lossWeights(y.shape).dataSync();
      return (y.dataSync() as Float32Array).reduce((sum: number, yi: number, i: number) => sum + (weights[i]! * yi * yi) / 2, 0);
    });
  }

  gradient(at: Vectors): Vectors {
    return tf.tidy(() =>
      tf
        .grads((...x: tf.Tensor[]) => this.loss(x))(this.tensors(at))
        .map(toArray),
    );
  }

  hvp(vector: Vectors): Vectors {
    return tf.tidy(() => {
      const v = this.tensors(vector);
      const slope = (...x: tf.Tensor[]) =>
        tf.addN(
          tf
            .grads((...z: tf.Tensor[]) => this.loss(z))(x)
            .map((g, i) => tf.sum(tf.mul(g, v[i]!))),
        ) as tf.Scalar;
      return tf.grads(slope)(this.tensors(this.points)).map(toArray);
    });
  }

  moved(direction: Vectors, step: number): Vectors {
    return this.points.map((x, i) => x.map((xj, j) => xj + step * direction[i]![j]!));
  }

  private tensors(values: Vectors): tf.Tensor[] {
    return values.map((value, i) => tf.tensor(value, [...this.example.shapes[i]!]));
  }
}

/** Values in [−2, 2], in random order, all at least 4/n apart and 2/n from zero: no kink is crossed by a small step. */
function apart(n: number, rng: Rng): Float32Array {
  return Float32Array.from(rng.permutation(n), (k) => ((k + 0.5) * 4) / n - 2 + (n % 2 === 1 ? 1 / n : 0));
}

function lossWeights(shape: number[]): tf.Tensor {
  return tf.tensor(
    Float32Array.from({ length: size(shape) }, (_, i) => 1 + Math.sin(3 * i) / 2),
    shape,
  );
}

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const toArray = (t: tf.Tensor) => t.dataSync() as Float32Array;
const norm = (vectors: Vectors) => Math.sqrt(vectors.reduce((sum, v) => v.reduce((s, x) => s + x * x, sum), 0));
const scaled = (vectors: Vectors, factor: number) => vectors.map((v) => v.map((x) => x * factor));
const minus = (a: Vectors, b: Vectors) => a.map((v, i) => v.map((x, j) => x - b[i]![j]!));

function unitVector(example: SecondOrderCase): Vectors {
  const v = example.shapes.map((shape, i) => new Rng(`direction ${i}`).array(size(shape)));
  return scaled(v, 1 / norm(v));
}

function relativeError(actual: Vectors, expected: Vectors): number {
  return norm(minus(actual, expected)) / (norm(expected) || 1);
}

// L = Σ w φ²/2: L″ = w (φ′² + φ φ″).
function closedFormHvp({ points, example }: Probe, vector: Vectors): Vectors {
  const [phi, first, second] = example.closedForm!;
  const curvature = (x: number, i: number) => (1 + Math.sin(3 * i) / 2) * (first(x) ** 2 + phi(x) * second(x));
  return [points[0]!.map((x, i) => curvature(x, i) * vector[0]![i]!)];
}

for (const backend of ["native", "wasm", "cpu"] as const) describeOn(backend);

function describeOn(backend: BackendName): void {
  describe(`second derivatives on the ${backend} engine`, () => {
    before(async function () {
      await startEngine(backend).catch(() => this.skip());
    });
    after(() => startEngine("native").catch(() => startEngine("cpu")));
    for (const example of secondOrderCases().filter(({ engines }) => engines.includes(backend))) itIsRight(example);
    for (const example of uncoveredOps().filter(({ engines }) => engines.includes(backend))) itThrows(example);
  });
}

function itIsRight(example: SecondOrderCase): void {
  it(`${example.op}: gradient and Hessian-vector product agree with the ${example.closedForm ? "closed form" : "differences"}`, () => {
    const probe = new Probe(example);
    const v = unitVector(example);
    const tensors = tf.memory().numTensors;

    const gradient = probe.gradient(probe.points);
    const hv = probe.hvp(v);

    assert.equal(tf.memory().numTensors, tensors, "tensors leaked");
    // Along the gradient's own direction the slope is its norm.
    const along = scaled(gradient, 1 / norm(gradient));
    const slope = (probe.value(probe.moved(along, 5e-3)) - probe.value(probe.moved(along, -5e-3))) / 1e-2;
    assert.ok(Math.abs(slope / norm(gradient) - 1) < 5e-3, `gradient: norm ${norm(gradient)}, slope ${slope}`);
    const truth = example.closedForm ? closedFormHvp(probe, v) : differences(probe, v);
    const error = relativeError(hv, truth);
    assert.ok(error < (example.closedForm ? 2e-5 : 1.5e-3), `Hv is off by ${error}`);
  });
}

function differences(probe: Probe, v: Vectors): Vectors {
  const [forward, backward] = [5e-3, -5e-3].map((step) => probe.gradient(probe.moved(v, step)));
  return scaled(minus(forward!, backward!), 1 / 1e-2);
}

function itThrows(example: SecondOrderCase): void {
  it(`${example.op}: no second derivative, and an error says so, also beside weight decay`, () => {
    const probe = new Probe(example);
    const plain = probe.loss;
    const tensors = tf.memory().numTensors;
    probe.loss = (x) => tf.add(plain(x), tf.sum(tf.square(x[0]!))) as tf.Scalar;

    assert.throws(() => probe.hvp(unitVector(example)), /no gradient is known for "/);

    assert.equal(tf.memory().numTensors, tensors, "tensors leaked");
  });
}

describe("the table of second derivatives", () => {
  it("has one line for each op, and no op twice", () => {
    const rows = secondOrderTable();

    assert.equal(new Set(rows.map(({ op }) => op)).size, rows.length);
    assert.ok(rows.every(({ engines }) => engines.length > 0 && engines.every((name) => BACKENDS.includes(name))));
  });
});
