/** Set-up in this project: whatever it could make is there, and a second run makes nothing. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { build, fashionMnist, packages } from "./modules";

const root = path.join(__dirname, "../..");

// The real one takes half a minute on a busy machine, and is not what is tested.
const standInForTsc = `
const fs = require("node:fs");
fs.mkdirSync("dist", { recursive: true });
for (const name of fs.readdirSync("src")) {
  if (fs.readFileSync("src/" + name, "utf8").includes("error")) {
    console.log("src/" + name + "(1,1): error TS1005");
    process.exitCode = 2;
  }
  fs.writeFileSync("dist/" + name.replace(".ts", ".js"), "");
}`;

describe("set-up", () => {
  it("finds the packages of a finished installation, and none in a folder without", async () => {
    const { packagesStep } = await packages();

    assert.match(packagesStep(root).there() ?? "", /^\d+ packages$/);
    assert.equal(packagesStep(__dirname).there(), undefined);
  });

  it("copies Fashion-MNIST from a folder that has it, and checks it anew where a file was changed since", async function () {
    const source = path.join(root, "data/cache/fashion-mnist");
    const { fashionMnistStep, missingFiles } = await fashionMnist();
    if (missingFiles(source).length > 0) this.skip();
    const folder = mkdtempSync(path.join(tmpdir(), "setup-"));
    const given = process.env.SHARPNESS_DATA;
    try {
      process.env.SHARPNESS_DATA = source;
      const step = fashionMnistStep(folder);
      const labels = path.join(folder, "data/cache/fashion-mnist/t10k-labels-idx1-ubyte.gz");

      assert.equal(step.there(), undefined);
      assert.equal(await step.make(), `70 000 images from ${source}`);
      assert.equal(step.there(), "70 000 images");
      writeFileSync(labels, readFileSync(labels).subarray(0, 1000));
      assert.deepEqual(missingFiles(path.dirname(labels)), ["t10k-labels-idx1-ubyte.gz"]);
      assert.equal(await step.make(), `70 000 images from ${source}`);
    } finally {
      if (given === undefined) delete process.env.SHARPNESS_DATA;
      else process.env.SHARPNESS_DATA = given;
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("takes a build for current until a source changes, and never leaves a deleted source importable", async () => {
    const { buildStep } = await build();
    const folder = mkdtempSync(path.join(tmpdir(), "setup-"));
    try {
      mkdirSync(path.join(folder, "src"));
      for (const name of ["a", "b"]) writeFileSync(path.join(folder, "src", `${name}.ts`), `export const ${name} = 1;\n`);
      mkdirSync(path.join(folder, "node_modules/typescript/bin"), { recursive: true });
      writeFileSync(path.join(folder, "node_modules/typescript/bin/tsc"), standInForTsc);
      const step = buildStep(folder);

      assert.equal(step.there(), undefined);
      assert.equal(await step.make(), "2 source files in dist");
      assert.equal(step.there(), "2 source files in dist");
      rmSync(path.join(folder, "src/b.ts"));
      assert.equal(step.there(), undefined);
      assert.equal(await step.make(), "1 source files in dist");
      assert.throws(() => readFileSync(path.join(folder, "dist/b.js")), /ENOENT/);
      writeFileSync(path.join(folder, "src/a.ts"), "an error");
      await assert.rejects(step.make(), /type errors[^]*src\/a\.ts/);
      assert.equal(step.there(), undefined);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
