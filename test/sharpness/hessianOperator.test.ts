import assert from "node:assert/strict";
import { makeDataset, subset } from "../../src/data";
import { Rng, tf, type Weights } from "../../src/engine";
import { mlp } from "../../src/models";
import {
  checkOperator,
  empiricalFisherOperator,
  type FunctionalModel,
  gaussNewtonOperator,
  hessianOperator,
  lanczos,
  type LinearOperator,
  type ModelAt,
} from "../../src/sharpness";
import { matchNames } from "../../src/sharpness/hessianOperator";
import { assertClose, inner } from "../support/matrices";

const rng = new Rng("hessianOperator");
const draw = (name: string, ...shape: number[]) => tf.tensor(rng.split(name).array(shape.reduce((a, b) => a * b, 1)), shape);

const [n, d, k] = [11, 3, 4];
const x = draw("x", n, d);
const rows = (x as tf.Tensor2D).arraySync();
const labels = Array.from({ length: n }, (_, i) => (i * i) % k);
const y = tf.oneHot(labels, k).toFloat();
const W = draw("W", d, k);

/** logits = x W: the entries of a vector are (d, k), row by row. */
const linear: ModelAt = {
  model: { apply: ({ W }, input) => ({ logits: tf.matMul(input as unknown as tf.Tensor2D, W as tf.Tensor2D) }) },
  weights: { W },
};

/** The matrix of an operator, column by column. */
async function dense(operator: LinearOperator): Promise<number[][]> {
  const columns: number[][] = [];
  for (let j = 0; j < operator.size; j++) {
    const e = new Float32Array(operator.size);
    e[j] = 1;
    columns.push(Array.from(await operator.matvec(e)));
  }
  return columns;
}

/** softmax(x W) of each example, in float64. */
function probabilities(): number[][] {
  const w = (W as tf.Tensor2D).arraySync();
  return rows.map((row) => {
    const exps = w[0]!.map((_, c) => Math.exp(row.reduce((sum, value, i) => sum + value * w[i]![c]!, 0)));
    return exps.map((e) => e / exps.reduce((a, b) => a + b)); // prettier-ignore
  });
}

/** (1/n) Σ xᵢxᵢᵀ ⊗ Mᵢ */
function kronecker(middle: (i: number) => number[][]): number[][] {
  const result = Array.from({ length: d * k }, () => new Array<number>(d * k).fill(0));
  for (let i = 0; i < n; i++) {
    const m = middle(i);
    for (let a = 0; a < d * k; a++)
      for (let b = 0; b < d * k; b++)
        result[a]![b]! += (rows[i]![Math.floor(a / k)]! * rows[i]![Math.floor(b / k)]! * m[a % k]![b % k]!) / n;
  }
  return result;
}

function assertMatrix(actual: number[][], expected: number[][], tolerance: number): void {
  expected.forEach((row, i) => assertClose(actual[i]!, row, tolerance, `row ${i}`));
}

describe("sharpness/hessianOperator", () => {
  it("is XᵀX ⊗ I / n for least squares", async () => {
    const loss = (outputs: tf.Tensor, targets: tf.Tensor) => tf.mul(0.5, tf.sum(tf.square(tf.sub(outputs, targets)), 1));

    const operator = hessianOperator(linear, { x, y }, { loss, batchSize: 4 }); // 4 + 4 + 3: a ragged last batch

    assertMatrix(await dense(operator), kronecker(() => identity(k)), 2e-6); // prettier-ignore
  });

  it("is Σ p(1−p) xxᵀ / n for logistic regression", async () => {
    const w = draw("w", d, 1);
    const logistic: ModelAt = { ...linear, weights: { W: w } };
    const target = tf.tensor2d(labels.map((label) => [label % 2]));
    const loss = (z: tf.Tensor, t: tf.Tensor) => tf.sub(tf.softplus(z), tf.mul(z, t));

    const operator = hessianOperator(logistic, { x, y: target }, { loss, batchSize: 5 });

    const weights = w.dataSync();
    const p = rows.map((row) => 1 / (1 + Math.exp(-inner(row, weights))));
    const expected = identity(d).map((row, a) =>
      row.map((_, b) => rows.reduce((sum, r, i) => sum + (p[i]! * (1 - p[i]!) * r[a]! * r[b]!) / n, 0)),
    );
    assertMatrix(await dense(operator), expected, 2e-6);
  });

  it("is Σ xxᵀ ⊗ (diag p − ppᵀ) / n for softmax regression, as Gauss–Newton and Fisher are", async () => {
    const p = probabilities();
    const expected = kronecker((i) => p[i]!.map((a, r) => p[i]!.map((b, c) => (r === c ? a : 0) - a * b)));

    for (const make of [hessianOperator, gaussNewtonOperator])
      assertMatrix(await dense(make(linear, { x, y }, { batchSize: 4 })), expected, 2e-6);
  });

  it("has the empirical Fisher Σ xxᵀ ⊗ (p−y)(p−y)ᵀ / n", async () => {
    const residuals = probabilities().map((p, i) => p.map((value, c) => value - (labels[i] === c ? 1 : 0)));
    const expected = kronecker((i) => residuals[i]!.map((a) => residuals[i]!.map((b) => a * b)));

    assertMatrix(await dense(empiricalFisherOperator(linear, { x, y }, { batchSize: 4 })), expected, 2e-6);
  });

  it("is the dense Hessian of a 2-layer tanh net, derived by hand", async () => {
    // L = ½(Σ_j a_j tanh(w_jᵀx) − t)²: with h = tanh, h' = 1 − h², h'' = −2hh', r the residual:
    // ∂²/∂a_i∂a_j = h_i h_j; ∂²/∂a_i∂w_j = (h_i a_j h'_j + δ_ij r h'_j) x; ∂²/∂w_i∂w_j = (a_i h'_i a_j h'_j + δ_ij r a_j h''_j) xxᵀ
    const units = 3;
    const [w1, a] = [draw("w1", d, units), draw("a", units, 1)];
    const model: FunctionalModel = {
      apply: ({ w1, a }: Weights, input: tf.Tensor) => ({
        logits: tf.matMul(
          tf.tanh(tf.matMul(input as tf.Tensor2D, w1 as tf.Tensor2D)) as tf.Tensor2D,
          a as tf.Tensor2D,
        ) as tf.Tensor2D,
      }),
    };
    const t = tf.tensor2d(labels.map((label) => [label - 1]));
    const loss = (outputs: tf.Tensor, targets: tf.Tensor) => tf.mul(0.5, tf.square(tf.sub(outputs, targets)));

    const operator = hessianOperator({ model, weights: { w1, a } }, { x, y: t }, { loss, batchSize: 4 });
    const differences = hessianOperator({ model, weights: { w1, a } }, { x, y: t }, { loss, method: "finite-difference" });

    const [w, av] = [(w1 as tf.Tensor2D).arraySync(), a.dataSync()];
    const expected = identity(d * units + units).map((row) => row.map(() => 0));
    rows.forEach((row, example) => {
      const h = Array.from({ length: units }, (_, j) => Math.tanh(row.reduce((sum, value, i) => sum + value * w[i]![j]!, 0)));
      const slope = h.map((value) => 1 - value * value);
      const r = inner(h, av) - (labels[example]! - 1);
      for (let i = 0; i < units; i++)
        for (let j = 0; j < units; j++) {
          const same = i === j ? 1 : 0;
          expected[d * units + i]![d * units + j]! += (h[i]! * h[j]!) / n;
          for (let p = 0; p < d; p++) {
            const mixed = ((h[i]! * av[j]! * slope[j]! + same * r * slope[j]!) * row[p]!) / n;
            expected[d * units + i]![p * units + j]! += mixed;
            expected[p * units + j]![d * units + i]! += mixed;
            for (let q = 0; q < d; q++)
              expected[p * units + i]![q * units + j]! +=
                ((av[i]! * slope[i]! * av[j]! * slope[j]! + same * r * av[j]! * -2 * h[j]! * slope[j]!) * row[p]! * row[q]!) / n;
          }
        }
    });
    assertMatrix(await dense(operator), expected, 5e-6);
    assertMatrix(await dense(differences), expected, 5e-4);
  });

  it("does not depend on the batch size, ragged batches included, and is symmetric", async () => {
    const { at, dataset } = imageProblem();
    const v = new Rng(1).array(hessianOperator(at, dataset).size);

    const [whole, ragged, ones] = await Promise.all(
      [256, 7, 1].map((batchSize) => hessianOperator(at, dataset, { batchSize }).matvec(v)),
    );

    assertClose(ragged!, whole!, 2e-5);
    assertClose(ones!, whole!, 2e-5);
    const { asymmetry, repeatability } = await checkOperator(hessianOperator(at, dataset, { batchSize: 7 }));
    assert.ok(asymmetry < 1e-5 && repeatability === 0);
  });

  it("gives the same products replayed as a graph, which large problems are, and repeats them bit for bit", async () => {
    const { at, dataset } = imageProblem();
    const copies = Math.ceil(1_000_000 / (hessianOperator(at, dataset).size * dataset.size));
    const indices = Int32Array.from({ length: copies * dataset.size }, (_, i) => i % dataset.size);
    const large = subset(dataset, indices); // the same mean loss, of a problem that is large enough
    const v = new Rng(1).array(hessianOperator(at, dataset).size);

    for (const make of [hessianOperator, gaussNewtonOperator, empiricalFisherOperator]) {
      const operator = make(at, large);
      const [first, second] = [await operator.matvec(v), await operator.matvec(v)];
      assertClose(first, await make(at, dataset).matvec(v), 2e-5);
      assert.deepEqual(second, first);
    }
  });

  it("is shifted by λ with an L2 term, and says so", async () => {
    const { at, dataset } = imageProblem();
    const [plain, decayed] = [hessianOperator(at, dataset), hessianOperator(at, dataset, { l2: 0.25 })];

    const [a, b] = [await lanczos(plain, { k: 3, lanczosSteps: 30 }), await lanczos(decayed, { k: 3, lanczosSteps: 30 })];

    assertClose(b.eigenvalues, a.eigenvalues.map((lambda) => lambda + 0.25), 1e-4); // prettier-ignore
    assert.match(plain.description, /^exact Hessian of the mean loss over 20 examples, without L2, by all 4 parameters$/);
    assert.match(decayed.description, /with ½·0.25·‖w‖²/);
  });

  it("restricted to parameters by name is the diagonal block", async () => {
    const { at, dataset } = imageProblem();
    const all = hessianOperator(at, dataset);
    const head = hessianOperator(at, dataset, { paramFilter: "head/*" });
    const offset = all.size - head.size;

    const v = new Rng(2).array(head.size);
    const padded = new Float32Array(all.size);
    padded.set(v, offset);

    assert.deepEqual(head.names, ["head/kernel", "head/bias"]);
    assert.match(head.description, /2 of 4 parameters \(head\/kernel, head\/bias\)/);
    assertClose(await head.matvec(v), (await all.matvec(padded)).slice(offset), 1e-6);
    assert.throws(
      () => hessianOperator(at, dataset, { paramFilter: "conv*" }),
      /paramFilter = "conv\*" matches none of dense0\/kernel/,
    );
  });

  it("matches names by * and ?, and by any of several patterns", () => {
    const names = ["block1/conv/kernel", "block2/conv/kernel", "head/bias"];

    assert.deepEqual(matchNames(names, "block?/*"), names.slice(0, 2));
    assert.deepEqual(matchNames(names, ["head/bias", "block1*"]), [names[0], names[2]]);
    assert.deepEqual(matchNames(names), names);
  });

  it("refuses training mode, and says how to do without", () => {
    const { at, dataset } = imageProblem();

    assert.throws(
      () => hessianOperator(at, dataset, { mode: { training: true } }),
      /mode.training = true: dropout .*Leave `mode` out/,
    );
    assert.throws(() => hessianOperator(at, dataset, { mode: { batchStatistics: true } }), /mode.batchStatistics = true/);
  });

  it("refuses a loss that draws random numbers, or couples the examples of a batch", async () => {
    const random = new Rng(3);
    const noisy: ModelAt = {
      ...linear,
      model: { apply: (w, input) => ({ logits: tf.mul(linear.model.apply(w, input).logits, 1 + random.uniform()) }) },
    };
    const coupled: ModelAt = {
      ...linear,
      model: { apply: (w, input) => ({ logits: batchNormalized(linear.model.apply(w, input).logits) }) },
    };
    const v = new Float32Array(d * k).fill(1);

    await assert.rejects(async () => hessianOperator(noisy, { x, y }).matvec(v), /draws random numbers.*training: false/s);
    await assert.rejects(
      async () => gaussNewtonOperator(coupled, { x, y }).matvec(v),
      /depends on the rest of its batch.*batch statistics/s,
    );
  });

  it("refuses what does not fit: options, losses, targets", async () => {
    const v = new Float32Array(d * k);
    const matvec = (data: { x: tf.Tensor; y: tf.Tensor }, options = {}) => hessianOperator(linear, data, options).matvec(v);

    assert.throws(() => hessianOperator(linear, { x, y }, { method: "fd" as "exact" }), /method = "fd": expected "exact" or/);
    assert.throws(() => hessianOperator(linear, { x, y }, { batchSize: 0 }), /batchSize = 0/);
    assert.throws(() => hessianOperator(linear, { x, y: draw("short", 2, k) }), /x has 11 examples and y has 2/);
    await assert.rejects(async () => matvec({ x, y: tf.tensor1d(labels) }), /targets have shape \[11\], expected one-hot rows/);
    await assert.rejects(
      async () => matvec({ x, y }, { loss: (o: tf.Tensor) => tf.mean(o) }),
      /the loss has shape \[\], expected one value/,
    );
  });

  it("keeps the number of tensors flat over a Lanczos run, and stops between batches when asked", async () => {
    const { at, dataset } = imageProblem();
    const operator = hessianOperator(at, dataset, { batchSize: 7 });
    await operator.matvec(new Float32Array(operator.size));
    const before = tf.memory();

    await lanczos(operator, { lanczosSteps: 10 });

    assert.equal(tf.memory().numTensors, before.numTensors);
    assert.equal(tf.memory().numBytes, before.numBytes);
    const seen: number[] = [];
    const onProgress = ({ done }: { done: number }) => void seen.push(done);
    const stopped = hessianOperator(at, dataset, { batchSize: 7, onProgress, signal: AbortSignal.abort(new Error("stop")) });
    await assert.rejects(stopped.matvec(new Float32Array(operator.size)), /stop/);
    assert.deepEqual(seen, [7]);
    assert.equal(tf.memory().numTensors, before.numTensors);
  });

  it("gives an eigenvector back as named tensors", async () => {
    const { at, dataset } = imageProblem();
    const operator = hessianOperator(at, dataset, { paramFilter: "head*" });

    const direction = operator.toWeights(Float32Array.from({ length: operator.size }, (_, i) => i));

    assert.deepEqual(Object.keys(direction), ["head/kernel", "head/bias"]);
    assert.deepEqual(direction["head/bias"]!.shape, [3]);
    tf.dispose(direction);
  });
});

describe("sharpness/hessianOperator on a layers model", () => {
  function sequential(pooling: tf.layers.Layer = tf.layers.maxPooling2d({ poolSize: 2 })): tf.Sequential {
    const initializer = (seed: number) => tf.initializers.glorotNormal({ seed });
    const model = tf.sequential();
    model.add(
      tf.layers.conv2d({ inputShape: [8, 8, 1], filters: 4, kernelSize: 3, useBias: false, kernelInitializer: initializer(1) }),
    );
    model.add(tf.layers.batchNormalization());
    model.add(tf.layers.activation({ activation: "tanh" }));
    model.add(pooling);
    model.add(tf.layers.dropout({ rate: 0.5, seed: 1 }));
    model.add(tf.layers.flatten());
    model.add(tf.layers.dense({ units: 3, activation: "softmax", kernelInitializer: initializer(2) }));
    model.compile({ optimizer: "sgd", loss: "categoricalCrossentropy" });
    return model;
  }

  it("agrees with central differences of the model's own loss, by its trainable weights", async () => {
    const { dataset } = imageProblem();
    // Average pooling: a difference across the kinks of max pooling is no oracle.
    const model = sequential(tf.layers.averagePooling2d({ poolSize: 2 }));
    const exact = hessianOperator(model, dataset, { batchSize: 6 });
    const differences = hessianOperator(model, dataset, { method: "finite-difference" });

    const v = new Rng(5).array(exact.size);
    const [hv, expected] = [await exact.matvec(v), await differences.matvec(v)];

    assert.equal(exact.size, 9 * 4 + 4 + 4 + 36 * 3 + 3);
    const scale = Math.sqrt(inner(expected, expected));
    assert.ok(scale > 1e-2);
    assertClose(hv, expected, 1e-3 * scale);
    assert.ok((await checkOperator(exact)).asymmetry < 1e-5);
  });

  it("with max pooling agrees with the same net of elementary functions, pooled by comparing pairs", async () => {
    const { dataset } = imageProblem();
    const model = sequential();
    const weights: Weights = Object.fromEntries(
      ["k", "g", "b", "w", "c"].map((name, i) => [name, tf.clone(model.trainableWeights[i]!.read())]),
    );
    const apply = ({ k, g, b, w, c }: Weights, x: tf.Tensor4D) => {
      // A new batch norm's moving averages are 0 and 1; tf.layers' epsilon is 1e-3.
      const normalized = tf.add(tf.mul(tf.conv2d(x, k as tf.Tensor4D, 1, "valid"), tf.div(g!, Math.sqrt(1 + 1e-3))), b!);
      const pairs = tf.reshape(tf.tanh(normalized), [-1, 3, 2, 3, 2, 4]);
      const [top, bottom] = tf.split(pairs, 2, 2).map((half) => tf.split(half, 2, 4)) as [tf.Tensor[], tf.Tensor[]];
      const pooled = larger(larger(top[0]!, top[1]!), larger(bottom[0]!, bottom[1]!));
      return { logits: tf.add(tf.matMul(tf.reshape(pooled, [-1, 36]), w as tf.Tensor2D), c!) as tf.Tensor2D };
    };
    const larger = (p: tf.Tensor, q: tf.Tensor) => tf.add(q, tf.relu(tf.sub(p, q)));

    const operator = hessianOperator(model, dataset, { batchSize: 6 });
    const v = new Rng(5).array(operator.size);
    const [hv, expected] = [await operator.matvec(v), await hessianOperator({ model: { apply }, weights }, dataset).matvec(v)];

    const scale = Math.sqrt(inner(expected, expected));
    assert.ok(scale > 1e-2);
    assertClose(hv, expected, 1e-5 * scale);
    assert.ok((await checkOperator(operator)).asymmetry < 1e-5);
  });

  it("has the Hessian of the same net written as a function", async () => {
    const { dataset, at } = imageProblem();
    const { weights } = at;
    const model = tf.sequential();
    model.add(tf.layers.flatten({ inputShape: [8, 8, 1] }));
    model.add(tf.layers.dense({ units: 5, activation: "tanh" }));
    model.add(tf.layers.dense({ units: 3, activation: "softmax" }));
    model.compile({ optimizer: "sgd", loss: "sparseCategoricalCrossentropy" });
    model.setWeights(Object.values(weights));

    const operator = hessianOperator(model, dataset);

    const v = new Rng(6).array(operator.size);
    assertClose(await operator.matvec(v), await hessianOperator(at, dataset).matvec(v), 2e-5);
  });

  it("leaves the model's weights alone, also when the loss throws, and its tensors flat", async () => {
    const { dataset } = imageProblem();
    const model = sequential();
    const weights = model.getWeights().map((w) => w.dataSync().slice());
    const operator = hessianOperator(model, dataset);
    const v = new Float32Array(operator.size).fill(1);
    await operator.matvec(v);
    const before = tf.memory().numTensors;

    await operator.matvec(v);
    const failing = hessianOperator(model, dataset, { loss: () => { throw new Error("no loss"); } }); // prettier-ignore
    await assert.rejects(async () => failing.matvec(v), /no loss/);

    assert.equal(tf.memory().numTensors, before);
    model.getWeights().forEach((w, i) => assert.deepEqual(w.dataSync(), weights[i]));
  });

  it("refuses to go on after the model was trained, a model without a loss, and two outputs", async () => {
    const { dataset } = imageProblem();
    const model = sequential();
    const operator = hessianOperator(model, dataset);
    model.setWeights(model.getWeights().map((w) => tf.mul(w, 1.1)));
    const bare = tf.sequential({ layers: [tf.layers.flatten({ inputShape: [8, 8, 1] }), tf.layers.dense({ units: 3 })] });

    await assert.rejects(async () => operator.matvec(new Float32Array(operator.size)), /weights have changed/);
    assert.throws(() => hessianOperator(bare, dataset), /not compiled.*compile it, or give options.loss/);
  });
});

function identity(size: number): number[][] {
  return Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => (i === j ? 1 : 0)));
}

function batchNormalized(logits: tf.Tensor2D): tf.Tensor2D {
  const { mean, variance } = tf.moments(logits, 0);
  return tf.div(tf.sub(logits, mean), tf.sqrt(tf.add(variance, 1e-5)));
}

/** 20 images of 8×8 in 3 classes, and a tanh net. */
function imageProblem() {
  const data = new Rng("images");
  const images = Uint8Array.from({ length: 20 * 64 }, () => data.int(256));
  const dataset = makeDataset({
    name: "random",
    shape: [8, 8, 1],
    numClasses: 3,
    images,
    labels: Int32Array.from({ length: 20 }, (_, i) => i % 3),
    mean: [0.5],
    std: [0.3],
  });
  const model = mlp({ inputShape: [8, 8, 1], numClasses: 3, hidden: [5], activation: "tanh" });
  return { dataset, at: { model, ...model.init(new Rng(0)) } };
}
