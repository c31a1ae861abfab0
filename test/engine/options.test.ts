import assert from "node:assert/strict";
import { checkOptions, nearestName, tf } from "../../src/engine";

interface Options {
  readonly rho?: number;
  readonly adaptive?: false | "weights" | "all";
  readonly seed?: number | string;
  readonly grid?: readonly number[];
  readonly onStep?: () => void;
}

const check = (options: unknown) =>
  checkOptions<Options>(
    options as Options,
    {
      rho: "number",
      adaptive: { values: [false, "weights", "all"] },
      seed: { types: ["number", "string"] },
      grid: "array",
      onStep: "function",
    },
    "fit",
  );

describe("engine/options", () => {
  it("known options of the right types pass, and undefined counts as absent", () => {
    check({});
    check({ rho: 0.1, adaptive: false, seed: "a", grid: new Float32Array(2), onStep: () => undefined });
    check({ rho: undefined, adaptive: undefined });
  });

  it("an unknown option is refused with the nearest known name, or with all of them where none is near", () => {
    assert.throws(() => check({ roh: 0.1 }), { message: 'fit: unknown option "roh", did you mean "rho"?' });
    assert.throws(() => check({ Rho: 0.1 }), /did you mean "rho"/);
    assert.throws(() => check({ temperature: 1 }), /unknown option "temperature"; known are rho, adaptive, seed, grid, onStep$/);
  });

  it("names that every object inherits are unknown options too", () => {
    assert.throws(() => check({ toString: 1 }), /unknown option "toString"/);
  });

  it("a value of the wrong type is refused with what came and what was expected", () => {
    assert.throws(() => check({ rho: "0.1" }), { message: 'fit: rho = "0.1": expected a number' });
    assert.throws(() => check({ rho: null }), /rho = null: expected a number/);
    assert.throws(() => check({ adaptive: true }), /adaptive = true: expected false, "weights" or "all"/);
    assert.throws(() => check({ seed: [1] }), /seed = \[1\]: expected a number or a string/);
    assert.throws(() => check({ grid: 3 }), /grid = 3: expected an array/);
    assert.throws(() => check({ onStep: {} }), /onStep = \{\}: expected a function/);
  });

  it("anything but an object in place of the options is refused, a list and a function too", () => {
    for (const options of [0.2, "rho", null, [0.2], () => 0.2])
      assert.throws(() => check(options), /^Error: fit: the options are /);
  });

  it("long values are cut in a message, and tensors can be shown", () => {
    assert.throws(
      () => check({ rho: "x".repeat(500) }),
      ({ message }: Error) => message.length < 100,
    );
    assert.throws(() => check({ rho: tf.scalar(1) }), /rho = .*: expected a number/);
  });

  it("a name is near where at most two letters, or half of them, differ", () => {
    assert.equal(nearestName("noiserate", ["noiseType", "noiseRate"]), "noiseRate");
    assert.equal(nearestName("zz", ["momentum"]), undefined);
  });
});
