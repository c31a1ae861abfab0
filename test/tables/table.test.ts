/** Tables: what is joined, how it is printed, and what it costs to load. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { paperNumbers, selectNumbers } from "../../src/paper/numbers";
import { besidePaper, dataFrame, pivot, runFootnotes, toHtml, toMarkdown } from "../../src/tables/table";

const root = path.join(__dirname, "../..");
const fashion = selectNumbers(paperNumbers("table-5"), { dataset: "fashion-mnist", model: "WRN-28-10", augmentation: "basic" });
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

describe("tables", () => {
  it("put the paper's number beside ours, joined by field, in the paper's order", async () => {
    const rows = await besidePaper({ ours: runs, paper: fashion, on: ["method"], field: "testErrorRate", scale: 100 });

    // sam: mean 11, s = √2, half-width 12.706 · √2 / √2
    assert.deepEqual(rows, [
      { method: "sam", paper: "3.98±0.05", ours: "11.00±12.71", seeds: 2 },
      { method: "sgd", paper: "4.57±0.07", ours: "13.00", seeds: 1 },
      { method: "asam", paper: "–", ours: "11.00", seeds: 1 },
    ]);
  });

  it("print a dash where we have no run yet", async () => {
    const rows = await besidePaper({ ours: [], paper: fashion, on: ["method"], field: "testErrorRate" });

    assert.deepEqual(rows[0], { method: "sam", paper: "3.98±0.05", ours: "–", seeds: "–" });
  });

  it("turn long rows into wide ones", async () => {
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

  it("are Markdown with right-aligned numbers, headings in the order asked for, and footnotes", () => {
    const rows = [{ method: "a|b", error: "3.98±0.05", seed: 1 }, { method: "c" }];

    const text = toMarkdown(rows, {
      title: "T",
      columns: { method: "method", error: "error (%)" },
      footnotes: ["one <note>"],
      strong: (row, field) => field === "error" && row.method !== "c",
    });

    assert.equal(
      text,
      [
        "**T**",
        "",
        "| method | error (%) |",
        "| --- | --: |",
        "| a\\|b | **3.98±0.05** |",
        "| c | – |",
        "",
        "<sub>one &lt;note&gt;</sub>",
      ].join("\n"),
    );
  });

  it("are HTML that escapes its cells, groups two-level headings, and names no color", () => {
    const html = toHtml([{ model: "<b>", "sam · paper": "2.1±<0.1", "sam · ours": "2.0" }], { title: "A & B" });

    assert.match(html, /<caption[^>]*>A &amp; B<\/caption>/);
    assert.match(html, /<th colspan="2"[^>]*>sam<\/th>/);
    assert.match(html, /&lt;b&gt;/);
    assert.match(html, /text-align:right[^>]*>2\.1±&lt;0\.1</);
    assert.doesNotMatch(html, /#[0-9a-f]{3,6}|rgb|white\b(?!-)|black/);
  });

  it("say what ± means, at which budget, over how many seeds", () => {
    const notes = runFootnotes({ budget: "lab", seeds: 5, paperSpread: paperNumbers("table-5").spread });

    assert.deepEqual(notes, [
      "paper: mean ± 95% confidence interval over 5 replicas.",
      `ours: mean ± 95 % interval (Student's t) over 5 seeds; budget "lab".`,
    ]);
    assert.deepEqual(runFootnotes({ budget: "demo", seeds: 1 }), ['ours: one seed, so no interval; budget "demo".']);
  });

  it("come as a danfojs DataFrame to who wants to sort and filter", async () => {
    const frame = await dataFrame(runs);

    assert.deepEqual(frame.columns, ["method", "seed", "testErrorRate"]);
    assert.deepEqual(frame.sortValues("testErrorRate").column("method").values, ["sam", "asam", "sam", "sgd"]);
  });

  it("load danfojs only when something is joined", () => {
    const { stdout, stderr } = run(`
      const { toMarkdown } = require("./src/tables/table");
      toMarkdown([{ a: 1 }]);
      console.log(Object.keys(require.cache).some((file) => file.includes("danfojs")));
    `);

    assert.deepEqual({ stdout, stderr }, { stdout: "false\n", stderr: "" });
  });

  it("write nothing on either stream, with danfojs and its TensorFlow.js loaded after our engine", () => {
    const { stdout, stderr } = run(`
      const { tf } = require("./src/engine");
      tf.setBackend("cpu").then(async () => {
        tf.ones([2]).sum().dataSync();
        const { pivot } = require("./src/tables/table");
        await pivot([{ a: 1, b: "x", c: 2 }, { a: 1, b: "y", c: 3 }], { index: ["a"], columns: "b", values: ["c"] });
        tf.ones([2]).sum().dataSync();
      });
    `);

    assert.deepEqual({ stdout, stderr }, { stdout: "", stderr: "" });
  });
});
