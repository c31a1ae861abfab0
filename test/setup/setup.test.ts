/** Set-up in this project: whatever it could make is there, and a second run makes nothing. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { build, fashionMnist, moduleUrl, packages, python, setup } from "./modules";

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

const sitePackages = ".venv/lib/python3.11/site-packages";

/** A folder whose `.venv` looks as if set-up had installed these packages in it. */
function fakeVenv(packageNames: readonly string[]): string {
  const folder = mkdtempSync(path.join(tmpdir(), "setup-"));
  const write = (name: string, text = ""): void => {
    mkdirSync(path.join(folder, path.dirname(name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  };
  const requirements = ["requirements.txt", "constraints.txt"].map((name) => `src/setup/${name}`);
  for (const name of requirements) write(name, readFileSync(path.join(root, name), "utf8"));
  const hash = createHash("sha256");
  for (const name of requirements) hash.update(readFileSync(path.join(root, name)));
  for (const name of packageNames) write(`${sitePackages}/${name}.dist-info/RECORD`);
  write(".venv/bin/python");
  write(`${sitePackages}/tensorflow/libtensorflow_cc.so.2`);
  const jupyter = { key: hash.digest("hex"), root: folder, packages: ["jupyterlab"] };
  write(".venv/sharpness-lab-jupyter.json", JSON.stringify(jupyter));
  const tensorflow = { version: "2.21.0", flavor: "cuda", gpu: true, packages: ["tensorflow_cpu"] };
  write(".venv/sharpness-lab-tensorflow.json", JSON.stringify(tensorflow));
  return folder;
}

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

  it("takes JupyterLab and TensorFlow for installed only while their packages are there, and none while one is installed", async () => {
    const { jupyterStep, tensorflowStep } = await python();
    const folder = fakeVenv(["jupyterlab-4.6.4", "tensorflow_cpu-2.21.0"]);
    try {
      const there = () => [jupyterStep, tensorflowStep].map((step) => step(folder).there() !== undefined);

      assert.deepEqual(there(), [true, true]);
      rmSync(path.join(folder, sitePackages, "jupyterlab-4.6.4.dist-info/RECORD"));
      assert.deepEqual(there(), [false, true]);
      writeFileSync(path.join(folder, sitePackages, "jupyterlab-4.6.4.dist-info/RECORD"), "");
      // A set-up killed while TensorFlow is installed: the next one makes the venv anew, without JupyterLab.
      mkdirSync(path.join(folder, ".setup"));
      writeFileSync(path.join(folder, ".setup/installing"), "");
      assert.deepEqual(there(), [false, false]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("names what is missing without making it: in a fresh clone the npm packages, which the other steps need", async () => {
    const { missingSteps } = await setup();
    const folder = mkdtempSync(path.join(tmpdir(), "setup-"));
    try {
      mkdirSync(path.join(folder, "src"));
      cpSync(path.join(root, "src/setup"), path.join(folder, "src/setup"), { recursive: true });

      assert.deepEqual(missingSteps(folder), ["npm packages"]);
      assert.deepEqual(readdirSync(folder), ["src"]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("tells a user who may not write in the kit's folder what to do", async function () {
    if (process.getuid?.() !== 0) this.skip();
    const folder = mkdtempSync(path.join(tmpdir(), "setup-"));
    try {
      chmodSync(folder, 0o755);
      const script = `import { main } from ${JSON.stringify(moduleUrl("setup"))};
        import { runSteps } from ${JSON.stringify(moduleUrl("steps"))};
        await main(() => runSteps([{ name: "a", there: () => undefined }], { root: ${JSON.stringify(folder)} }), ${JSON.stringify(folder)});`;
      const nobody = 65534;
      const { status, stderr } = spawnSync(process.execPath, ["--input-type=module"], {
        ...{ input: script, encoding: "utf8", uid: nobody, gid: nobody, cwd: "/" },
      });

      assert.equal(status, 77);
      assert.match(
        stderr,
        /EACCES: permission denied, mkdir .*\nThis user may not write here\. Copy the kit to a folder of your own/,
      );
    } finally {
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
