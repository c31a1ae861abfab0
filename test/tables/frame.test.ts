import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { dataFrame, pivot } from "../../src/tables/frame";

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
  it("turns long rows into wide ones", async () => {
    const long = [
      { model: "WRN", m: 1, method: "sam", error: "3.9" },
      { model: "WRN", m: 1, method: "sgd", error: "4.5" },
      { model: "ResNet", m: 1, method: "sgd", error: "5.0" },
      { model: "WRN", m: 2, method: "sgd", error: "4.1" },
    ];

    const wide = await pivot(long, { index: ["model", "m"], columns: "method", values: ["error"] });

    assert.deepEqual(wide, [
      { model: "WRN", m: 1, "sam · error": "3.9", "sgd · error": "4.5" },
      { model: "ResNet", m: 1, "sam · error": "–", "sgd · error": "5.0" },
      { model: "WRN", m: 2, "sam · error": "–", "sgd · error": "4.1" },
    ]);
  });

  it("gives a danfojs DataFrame to who wants to sort and filter", async () => {
    const frame = await dataFrame(runs);

    assert.deepEqual(frame.columns, ["method", "seed", "testErrorRate"]);
    assert.deepEqual(frame.sortValues("testErrorRate").column("method").values, ["sam", "asam", "sam", "sgd"]);
  });

  it("loads danfojs only when something is joined", () => {
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
        const { pivot } = require("./src/tables");
        await pivot([{ a: 1, b: "x", c: 2 }, { a: 1, b: "y", c: 3 }], { index: ["a"], columns: "b", values: ["c"] });
        tf.ones([2]).sum().dataSync();
      });
    `);

    assert.deepEqual({ stdout, stderr }, { stdout: "", stderr: "" });
  });
});
