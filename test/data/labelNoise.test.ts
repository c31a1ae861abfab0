import assert from "node:assert/strict";
import {
  asymmetricMaps,
  asymmetricNoise,
  asymmetricTransition,
  checkTransitionMatrix,
  compareLabels,
  instanceNoise,
  pairFlipNoise,
  pairFlipTransition,
  symmetricNoise,
  symmetricTransition,
  transitionMatrixWithTrace,
  transitionNoise,
  type NoisyLabels,
} from "../../src/data";
import { Rng } from "../../src/engine";

const balanced = (n: number, numClasses = 10) => Array.from({ length: n }, (_, i) => i % numClasses);
const flips = (noise: NoisyLabels) => noise.flipped.filter(Boolean).length;

/** Mask, rate and matrix as their definitions say, counted anew. */
function assertConsistent(noise: NoisyLabels, clean: ArrayLike<number>) {
  assert.deepEqual(noise.cleanLabels, Array.from(clean));
  noise.noisyLabels.forEach((label, i) => assert.equal(noise.flipped[i], label !== clean[i]));
  assert.equal(noise.actualNoiseRate, flips(noise) / clean.length);
  noise.transitionMatrix.forEach((row, from) =>
    row.forEach((share, to) => {
      const members = noise.noisyLabels.filter((_, i) => clean[i] === from);
      assert.ok(Math.abs(share - members.filter((label) => label === to).length / members.length) < 1e-12);
    }),
  );
}

describe("data/labelNoise", () => {
  it("Symmetric noise without the true class flips exactly ⌊rn⌋ labels", () => {
    for (const [n, noiseRate, count] of [
      [1000, 0.2, 200],
      [1000, 0.8, 800],
      [10, 0.3, 3],
      [7, 0.5, 3],
      [100, 0.29, 29],
      [50, 0, 0],
      [50, 1, 50],
    ] as const) {
      const clean = balanced(n);
      const noise = symmetricNoise(clean, { noiseRate, numClasses: 10, seed: 1 });
      assert.equal(flips(noise), count, `${noiseRate} of ${n}`);
      assert.equal(noise.actualNoiseRate, count / n);
    }
  });

  it("Symmetric noise spreads evenly over the other classes", () => {
    const clean = balanced(90000);
    const noise = symmetricNoise(clean, { noiseRate: 0.4, numClasses: 10, seed: 3 });

    assertConsistent(noise, clean);
    // Each of 9000 labels of a class goes to a given other class with probability 0.4/9: 400 ± 5·√(400·(1 − 0.044)) → ± 98
    noise.transitionMatrix.forEach((row, i) =>
      row.forEach((share, j) => i !== j && assert.ok(Math.abs(share * 9000 - 400) < 98, `${i} → ${j}: ${share * 9000}`)),
    );
  });

  it("With the true class included the actual rate is r(K − 1)/K", () => {
    const clean = balanced(50000);
    const noise = symmetricNoise(clean, { noiseRate: 0.8, numClasses: 10, includeTrueClass: true, seed: 2 });

    assertConsistent(noise, clean);
    // 40 000 redrawn, each moves with probability 0.9: 36 000 ± 5·√(40 000·0.9·0.1) = ± 300, that is 72 % (paper.md, section 10)
    assert.ok(Math.abs(flips(noise) - 36000) < 300, `${flips(noise)}`);
    assert.equal(noise.noiseRate, 0.8);
  });

  it("The same seed gives the same labels, another seed others, and input is never changed", () => {
    const clean = Int32Array.from(balanced(500));
    const options = { noiseRate: 0.3, numClasses: 10 };
    const one = symmetricNoise(clean, { ...options, seed: 1 });

    assert.deepEqual(one, symmetricNoise(clean, { ...options, seed: 1 }));
    assert.notDeepEqual(one.noisyLabels, symmetricNoise(clean, { ...options, seed: 2 }).noisyLabels);
    assert.deepEqual([...clean], balanced(500));
  });

  it("Noise at a higher rate contains the flips of a lower one", () => {
    const clean = balanced(1000);
    const [low, high] = [0.2, 0.6].map((noiseRate) => symmetricNoise(clean, { noiseRate, numClasses: 10, seed: 5 }));

    low!.flipped.forEach((moved, i) => moved && assert.equal(high!.noisyLabels[i], low!.noisyLabels[i]));
  });

  it("Pair flip moves labels to the next class only", () => {
    const clean = balanced(1000);
    const noise = pairFlipNoise(clean, { noiseRate: 0.45, numClasses: 10, seed: 0 });

    assert.equal(flips(noise), 450);
    noise.noisyLabels.forEach((label, i) => noise.flipped[i] && assert.equal(label, (clean[i]! + 1) % 10));
    assertConsistent(noise, clean);
  });

  it("Asymmetric noise applies CIFAR-10's map to the clean labels at once, an exact share of each mapped class", () => {
    const clean = balanced(1000);
    const noise = asymmetricNoise(clean, { noiseRate: 0.4, seed: 0 });

    // truck → automobile, bird → airplane, deer → horse, cat ↔ dog; 40 of 100 each, the other classes untouched
    const map: Record<number, number> = { 9: 1, 2: 0, 4: 7, 3: 5, 5: 3 };
    for (let from = 0; from < 10; from++)
      for (let to = 0; to < 10; to++) {
        const expected = map[from] === undefined ? Number(from === to) : from === to ? 0.6 : map[from] === to ? 0.4 : 0;
        assert.ok(Math.abs(noise.transitionMatrix[from]![to]! - expected) < 1e-12, `${from} → ${to}`);
      }
    assert.equal(noise.actualNoiseRate, 0.2);
  });

  it("At a rate of 1 all cats become dogs and all dogs become cats", () => {
    const noise = asymmetricNoise([3, 3, 5, 5, 0], { noiseRate: 1 });

    assert.deepEqual(noise.noisyLabels, [5, 5, 3, 3, 0]);
  });

  it("A custom map is checked", () => {
    assert.deepEqual(asymmetricNoise([0, 1, 2], { noiseRate: 1, numClasses: 3, map: { 0: 2 } }).noisyLabels, [2, 1, 2]);
    assert.throws(
      () => asymmetricNoise([0, 1], { noiseRate: 1, numClasses: 2, map: { 0: 2 } }),
      /map 0 → 2: label 1 is 2, expected an integer from 0 to 1/,
    );
    for (const map of Object.values(asymmetricMaps)) assert.ok(Object.entries(map).every(([from, to]) => Number(from) !== to));
  });

  it("Instance noise flips at about the requested rate, and equal features always to the same classes", () => {
    const n = 4000;
    const clean = balanced(n, 4);
    const features = new Rng(0).array(n * 6).map((x) => 4 * x);
    const noise = instanceNoise(clean, { noiseRate: 0.3, numClasses: 4, features, seed: 1 });

    // E[qᵢ] = 0.3 but for a truncation 3 standard deviations away; ± 5·√(4000·0.3·0.7) = ± 145
    assert.ok(Math.abs(flips(noise) - 1200) < 145, `${flips(noise)}`);
    assertConsistent(noise, clean);
    assert.deepEqual(noise, instanceNoise(clean, { noiseRate: 0.3, numClasses: 4, features, seed: 1 }));
  });

  it("Instance noise depends on the instance: one feature vector has one favorite wrong class", () => {
    // All examples are alike, so all flips follow one distribution softmax(x·W), which large features make nearly one-hot.
    const features = new Float32Array(2000 * 5).fill(20);
    const noise = instanceNoise(new Array<number>(2000).fill(0), { noiseRate: 0.5, numClasses: 10, features, seed: 2 });

    const row = [...noise.transitionMatrix[0]!].slice(1);
    assert.ok(Math.max(...row) > 0.9 * row.reduce((a, b) => a + b), row.join(" "));
    assert.throws(
      () => instanceNoise([0, 1], { noiseRate: 0.5, numClasses: 2, features: [1, 2, 3] }),
      /3 feature values for 2 labels/,
    );
  });

  it("Noise from a matrix has exactly its counts where they are whole numbers, else the nearest", () => {
    const matrix = [
      [0.7, 0.2, 0.1],
      [0, 1, 0],
      [0.25, 0.25, 0.5],
    ];
    const exact = transitionNoise(balanced(300, 3), matrix, { seed: 4 });
    const rounded = transitionNoise(balanced(9, 3), matrix, { seed: 4 });

    exact.transitionMatrix.forEach((row, i) => row.forEach((p, j) => assert.ok(Math.abs(p - matrix[i]![j]!) < 1e-12)));
    // 3 labels of class 0: 2.1, 0.6, 0.3 → 2, 1, 0
    assert.deepEqual(rounded.transitionMatrix[0], [2 / 3, 1 / 3, 0]);
    assertConsistent(rounded, balanced(9, 3));
  });

  it("Independent draws follow the matrix within binomial bounds", () => {
    const matrix = [
      [0.7, 0.3],
      [0.1, 0.9],
    ];
    const noise = transitionNoise(balanced(20000, 2), matrix, { seed: 4, sampling: "independent" });

    // ± 5·√(10 000·0.3·0.7) = ± 230 of 10 000
    assert.ok(Math.abs(noise.transitionMatrix[0]![1]! - 0.3) < 0.023);
    assert.ok(Math.abs(noise.transitionMatrix[1]![0]! - 0.1) < 0.015);
    assert.notEqual(noise.transitionMatrix[0]![1], 0.3);
  });

  it("A matrix that is not a transition matrix is refused", () => {
    assert.throws(() => transitionNoise([0], [[1]]), /1 rows, expected at least 2/);
    assert.throws(() => transitionNoise([0], [[1, 0], [1]]), /row 1 has 1 entries, expected 2/);
    assert.throws(
      () =>
        transitionNoise(
          [0],
          [
            [1, 0],
            [1.5, -0.5],
          ],
        ),
      /entry \(1, 0\) is 1.5, expected a probability/,
    );
    assert.throws(
      () =>
        transitionNoise(
          [0],
          [
            [1, 0],
            [0.5, 0.4],
          ],
        ),
      /row 1 sums to 0.9, expected 1/,
    );
    assert.throws(
      () =>
        transitionNoise(
          [0],
          [
            [1, 0],
            [NaN, 1],
          ],
        ),
      /expected a probability/,
    );
  });

  it("The generators' matrices are those that their labels realize", () => {
    const clean = balanced(90000);
    const pairs = [
      [symmetricTransition({ noiseRate: 0.4, numClasses: 10 }), symmetricNoise(clean, { noiseRate: 0.4, numClasses: 10 })],
      [
        symmetricTransition({ noiseRate: 0.4, numClasses: 10, includeTrueClass: true }),
        symmetricNoise(clean, { noiseRate: 0.4, numClasses: 10, includeTrueClass: true }),
      ],
      [pairFlipTransition({ noiseRate: 0.4, numClasses: 10 }), pairFlipNoise(clean, { noiseRate: 0.4, numClasses: 10 })],
      [asymmetricTransition({ noiseRate: 0.4 }), asymmetricNoise(clean, { noiseRate: 0.4 })],
    ] as const;

    for (const [matrix, noise] of pairs) {
      checkTransitionMatrix(matrix);
      matrix.forEach((row, i) => row.forEach((p, j) => assert.ok(Math.abs(p - noise.transitionMatrix[i]![j]!) < 0.03)));
    }
  });

  it("A random matrix has the requested trace, at every size", () => {
    for (const [numClasses, trace] of [
      [2, 1],
      [10, 6.5],
      [10, 0],
      [10, 10],
      [5, 0.3],
      [100, 42],
    ] as const) {
      const matrix = transitionMatrixWithTrace({ numClasses, trace, seed: 3 });

      checkTransitionMatrix(matrix);
      assert.ok(Math.abs(matrix.reduce((sum, row, i) => sum + row[i]!, 0) - trace) < 1e-9);
    }
    assert.throws(
      () => transitionMatrixWithTrace({ numClasses: 3, trace: 3.1 }),
      /trace = 3.1: expected a number from 0 to numClasses = 3/,
    );
  });

  it("Wrong labels, rates and numbers of classes are refused in one sentence", () => {
    assert.throws(
      () => symmetricNoise([0, 10], { noiseRate: 0.1, numClasses: 10 }),
      /clean labels: label 1 is 10, expected an integer from 0 to 9/,
    );
    assert.throws(() => symmetricNoise([0.5], { noiseRate: 0.1, numClasses: 10 }), /label 0 is 0.5/);
    assert.throws(() => symmetricNoise([0], { noiseRate: 20, numClasses: 10 }), /noiseRate = 20: expected a number from 0 to 1/);
    assert.throws(() => symmetricNoise([0], { noiseRate: NaN, numClasses: 10 }), /noiseRate = NaN/);
    assert.throws(() => symmetricNoise([0], { noiseRate: 0.1, numClasses: 1 }), /numClasses = 1: expected an integer from 2/);
  });

  it("A user's labels are compared with the clean ones", () => {
    const noise = compareLabels([0, 1, 2, 2], [0, 2, 2, 1], { numClasses: 4 });

    assert.deepEqual(noise.flipped, [false, true, false, true]);
    assert.equal(noise.actualNoiseRate, 0.5);
    assert.deepEqual(noise.transitionMatrix, [
      [1, 0, 0, 0],
      [0, 0, 1, 0],
      [0, 0.5, 0.5, 0],
      [0, 0, 0, 1],
    ]);
    assert.throws(() => compareLabels([0, 1], [0], { numClasses: 2 }), /1 noisy labels, expected 2/);
    assert.throws(() => compareLabels([0, 1], [0, 2], { numClasses: 2 }), /noisy labels: label 1 is 2/);
    assert.throws(() => compareLabels([0, 1], [0, 0.5], { numClasses: 2 }), /noisy labels: label 1 is 0.5/);
  });

  it("Classes whose transition matrix would fill the memory are refused at once", () => {
    const message = /numClasses = 20000: expected an integer from 2 to 4096/;

    assert.throws(() => symmetricNoise([0, 1], { noiseRate: 0.5, numClasses: 20000 }), message);
    assert.throws(() => symmetricTransition({ noiseRate: 0.5, numClasses: 20000 }), message);
    assert.throws(() => compareLabels([0, 1], [1, 0], { numClasses: 20000 }), message);
  });
});
