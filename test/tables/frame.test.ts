import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { dataFrame, frameRows, pivotFrame } from "../../src/tables/frame";

const root = path.join(__dirname, "../..");
const runs = [
  { method: "sam", seed: 0, testErrorRate: 0.1 },
  { method: "sam", seed: 1, testErrorRate: 0.12 },
  { method: "sgd", seed: 0, testErrorRate: 0.13 },
  { method: "asam", seed: 0, testErrorRate: 0.11 },
];

// Without the native engine, whose C++ side has lines of its own.
const env = { ...process.env, SHARPNESS_BACKEND: "cpu" };

/** Runs a program with the kit's own loader; what it wrote on either stream. */
function run(program: string): { stdout: string; stderr: string } {
  const { stdout, stderr } = spawnSync(process.execPath, ["-r", "tsx/cjs", "-e", program], { cwd: root, env, encoding: "utf8" });
  return { stdout, stderr };
}

describe("tables/frame", () => {
  it("pivots: one row for each index, one column for each value, means over the rows that share a cell", async () => {
    const frame = await dataFrame([...runs, { method: "sam", seed: 0, testErrorRate: 0.2 }]);

    const wide = await pivotFrame(frame, { index: ["method"], columns: "seed", values: "testErrorRate" });

    // sam, seed 0: (0.1 + 0.2) / 2
    assert.deepEqual(frameRows(wide), [
      { method: "sam", "seed · 0": (0.1 + 0.2) / 2, "seed · 1": 0.12 },
      { method: "sgd", "seed · 0": 0.13, "seed · 1": NaN },
      { method: "asam", "seed · 0": 0.11, "seed · 1": NaN },
    ]);
  });

  it("counts the rows that share a cell where asked to", async () => {
    const wide = await pivotFrame(await dataFrame(runs), { index: ["method"], columns: "seed", values: "testErrorRate", aggregate: "count" }); // prettier-ignore

    assert.deepEqual(frameRows(wide)[0], { method: "sam", "seed · 0": 1, "seed · 1": 1 });
  });

  it("names an unknown column, an unknown option, and rows that are missing", async () => {
    const frame = await dataFrame(runs);
    const options = { index: ["method"], columns: "seed", values: "testErrorRate" };

    await assert.rejects(pivotFrame(frame, { ...options, index: ["methd"] }), /pivotFrame: unknown column "methd", did you mean "method"\?/); // prettier-ignore
    await assert.rejects(pivotFrame(frame, { ...options, agregate: "mean" } as never), /unknown option "agregate", did you mean "aggregate"\?/); // prettier-ignore
    await assert.rejects(dataFrame([]), /dataFrame: expected at least one row, got none/);
  });

  // null in a column of numbers makes danfojs' describe() throw.
  it("describes a column in which numbers are missing", async () => {
    const frame = await dataFrame([{ x: 1, name: "a" }, { x: null }, { x: 3, name: "c" }]);

    const [count, mean] = frame["x"].describe().values as number[];

    assert.deepEqual([count, mean], [2, 2]);
    assert.deepEqual(frame["name"].values, ["a", "–", "c"]);
  });

  it("gives a danfojs DataFrame that sorts and filters", async () => {
    const frame = await dataFrame(runs);

    assert.deepEqual(frame.columns, ["method", "seed", "testErrorRate"]);
    assert.deepEqual(frame.sortValues("testErrorRate").column("method").values, ["sam", "asam", "sam", "sgd"]);
  });

  it("loads danfojs only for a frame", () => {
    const { stdout, stderr } = run(`
      const { toMarkdown } = require("./src/tables");
      toMarkdown([{ a: 1 }]);
      console.log(Object.keys(require.cache).some((file) => file.includes("danfojs")));
    `);

    assert.deepEqual({ stdout, stderr }, { stdout: "false\n", stderr: "" });
  });

  it("writes nothing on either stream, with danfojs and its TensorFlow.js loaded after our engine", () => {
    const { stdout, stderr } = run(`
      const { tf } = require("./src/engine");
      tf.setBackend("cpu").then(async () => {
        tf.ones([2]).sum().dataSync();
        const { dataFrame, pivotFrame } = require("./src/tables");
        const frame = await dataFrame([{ a: 1, b: "x", c: 2 }, { a: 1, b: "y", c: 3 }]);
        await pivotFrame(frame, { index: ["a"], columns: "b", values: "c" });
        tf.ones([2]).sum().dataSync();
      });
    `);

    assert.deepEqual({ stdout, stderr }, { stdout: "", stderr: "" });
  });
});
