/** Behavior that all routines of sharpness/ share: checked options, turns of the event loop, and aborts without leaks. */
import assert from "node:assert/strict";
import { Rng, tf } from "../../src/engine";
import * as sharpness from "../../src/sharpness";
import { leastSquares } from "../support/leastSquares";

interface Shared {
  readonly signal?: AbortSignal;
}

/** One call of a routine with its network, data or operator filled in. */
interface Routine {
  readonly name: string;
  readonly call: (options: Shared) => unknown;
  /** Passes over batches of one example that the call makes at least; undefined for what takes no time. */
  readonly batches?: number;
}

/** Ten examples in batches of one, so that each pass has ten batches. */
function routines(): Routine[] {
  const { network, data, loss } = leastSquares();
  const small = { loss, batchSize: 1 };
  const operator = sharpness.hessianOperator(network, data, small);
  const quadrature = { nodes: [[1, 2]], weights: [[0.5, 0.5]], size: 2, products: 2 };
  const long = (name: string, batches: number, call: (options: Shared) => unknown): Routine => ({ name, batches, call });
  const quick = (name: string, call: (options: object) => unknown): Routine => ({ name, call });
  return [
    long("lanczos", 20, (o) => sharpness.lanczos(operator, { lanczosSteps: 2, ...o })),
    long("lambdaMax", 20, (o) => sharpness.lambdaMax(operator, { lanczosSteps: 2, ...o })),
    long("powerIteration", 20, (o) => sharpness.powerIteration(operator, { iterations: 2, tolerance: 0, ...o })),
    long("lanczosQuadrature", 20, (o) => sharpness.lanczosQuadrature(operator, { lanczosSteps: 2, ...o })),
    long("spectralDensity", 20, (o) => sharpness.spectralDensity(operator, { lanczosSteps: 2, ...o })),
    long("hutchinsonTrace", 20, (o) => sharpness.hutchinsonTrace(operator, { numProbes: 2, ...o })),
    long("hutchPlusPlus", 60, (o) => sharpness.hutchPlusPlus(operator, { numProbes: 6, ...o })),
    long("hessianDiagonal", 20, (o) => sharpness.hessianDiagonal(operator, { numProbes: 2, ...o })),
    long("frobeniusNorm", 20, (o) => sharpness.frobeniusNorm(operator, { numProbes: 2, ...o })),
    long("mSharpness", 20, (o) => sharpness.mSharpness(network, data, { ...small, m: 5, ...o })),
    long("worstCaseSharpness", 20, (o) => sharpness.worstCaseSharpness(network, data, { ...small, steps: 2, restarts: 2, ...o })),
    long("averageSharpness", 20, (o) => sharpness.averageSharpness(network, data, { ...small, numSamples: 2, ...o })),
    long("randomLine", 20, (o) => sharpness.randomLine(network, data, { ...small, gridPoints: 2, ...o })),
    long("randomPlane", 40, (o) => sharpness.randomPlane(network, data, { ...small, gridPoints: 2, ...o })),
    long("lossAlong", 20, (o) => sharpness.lossAlong(network, data, [network.weights], { ...small, gridPoints: 2, ...o })),
    long("linearInterpolation", 20, (o) =>
      sharpness.linearInterpolation(network, network, data, { ...small, gridPoints: 2, ...o }),
    ),
    long("planarInterpolation", 40, (o) =>
      sharpness.planarInterpolation(network, network, network, data, { ...small, gridPoints: 2, ...o }),
    ),
    long("sharpnessProfile", 30, (o) => sharpness.sharpnessProfile(network, data, { ...small, radii: [0.1], steps: 1, ...o })),
    quick("hessianOperator", (o) => sharpness.hessianOperator(network, data, o)),
    quick("gaussNewtonOperator", (o) => sharpness.gaussNewtonOperator(network, data, o)),
    quick("empiricalFisherOperator", (o) => sharpness.empiricalFisherOperator(network, data, o)),
    quick("matrixOperator", (o) => sharpness.matrixOperator([[1]], o)),
    quick("checkOperator", (o) => sharpness.checkOperator(sharpness.matrixOperator([[1]]), o)),
    quick("smoothSpectrum", (o) => sharpness.smoothSpectrum(quadrature, o)),
    quick("randomDirection", (o) => sharpness.randomDirection(network.weights, new Rng(0), o)),
    quick("hvpFiniteDifference", (o) => sharpness.hvpFiniteDifference(([w]) => tf.sum(w!), [tf.ones([1])], [tf.ones([1])], o)),
  ];
}

/** Whatever a routine throws, at once or later. */
async function errorOf(call: () => unknown): Promise<string> {
  try {
    await call();
    return "no error";
  } catch (error) {
    return (error as Error).message;
  }
}

/** Turns of the event loop while `run` is under way; `onTurn` sees each of them. */
async function countTurns(run: () => unknown, onTurn: (turn: number) => void = () => undefined): Promise<number> {
  let [turns, running] = [0, true];
  const next = () => {
    if (!running) return;
    onTurn(++turns);
    setImmediate(next);
  };
  setImmediate(next);
  try {
    await run();
  } finally {
    running = false;
  }
  return turns;
}

describe("sharpness/every routine", () => {
  for (const { name, call, batches } of routines()) {
    it(`${name} refuses an option that it does not know, and names it`, async () => {
      assert.match(await errorOf(() => call({ batchsizes: 3 } as Shared)), new RegExp(`^${name}: unknown option "batchsizes"`));
    });
    if (batches === undefined) continue;

    it(`${name} lets the event loop turn after each batch, without a signal or a display`, async () => {
      const turns = await countTurns(() => call({}));

      assert.ok(turns >= batches, `${turns} turns`);
    });

    it(`${name} stops within a pass over the data when it is aborted, and leaves nothing in memory`, async () => {
      const stop = new AbortController();
      const before = tf.memory().numTensors;
      const turns = (run: () => unknown) => countTurns(run, (turn) => turn === 13 && stop.abort(new Error("enough")));

      const message = await errorOf(() => turns(() => call({ signal: stop.signal })));

      assert.equal(message, "enough");
      assert.equal(tf.memory().numTensors, before);
    });
  }

  it("suggests the option that was meant", async () => {
    const { network, data } = leastSquares();

    assert.match(await errorOf(() => sharpness.mSharpness(network, data, { roh: 0.1 } as object)), /"roh", did you mean "rho"\?/);
    assert.match(
      await errorOf(() => sharpness.hessianOperator(network, data, { batchsize: 1 } as object)),
      /did you mean "batchSize"/,
    );
  });

  it("lists the values that an option may have, and the type", async () => {
    const { network, data } = leastSquares();
    const operator = sharpness.matrixOperator([[1]]);
    const wrong: [RegExp, () => unknown][] = [
      [/lanczos: which = "la": expected "LA", "SA" or "LM"/, () => sharpness.lanczos(operator, { which: "la" as "LA" })],
      [/distribution = "normal": expected "gaussian" or "rademacher"/, () =>
        sharpness.hutchinsonTrace(operator, { distribution: "normal" as "gaussian" })],
      [/rho = "0.1": expected a number/, () => sharpness.mSharpness(network, data, { rho: "0.1" as never })],
      [/rho = -1: expected a finite number ≥ 0/, () => sharpness.worstCaseSharpness(network, data, { rho: -1 })],
      [/tolerance = NaN: expected a finite number ≥ 0/, () => sharpness.lanczos(operator, { tolerance: NaN })],
      [/range = \[1,1\]: expected two finite numbers/, () => sharpness.randomLine(network, data, { range: [1, 1] })],
      [/a radius = -0.1: expected a finite number ≥ 0/, () => sharpness.sharpnessProfile(network, data, { radii: [-0.1] })],
      [/the options are 5, expected an object/, () => sharpness.lanczos(operator, 5 as never)],
    ]; // prettier-ignore

    for (const [message, call] of wrong) assert.match(await errorOf(call), message);
  });
});
