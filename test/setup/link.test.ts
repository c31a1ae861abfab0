/** Notebooks in any folder of the kit import it by its name. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import ts from "typescript";
import { link } from "./modules";

describe("the kit's own name", () => {
  let folder: string;
  beforeEach(() => (folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "link-")))));
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  it("is found from a folder of notebooks, by Node and by the kernel's compiler, and again after the kit has moved", async () => {
    const { linkStep } = await link();
    const root = path.join(folder, "kit");
    fs.mkdirSync(path.join(root, "notebooks/mine"), { recursive: true });
    fs.mkdirSync(path.join(root, "dist"));
    fs.writeFileSync(
      path.join(root, "package.json"),
      '{ "name": "sharpness-lab", "main": "dist/index.js", "types": "dist/index.d.ts" }',
    );
    fs.writeFileSync(path.join(root, "dist/index.js"), "exports.answer = 42;");
    fs.writeFileSync(path.join(root, "dist/index.d.ts"), "export declare const answer: number;");

    assert.equal(linkStep(root).there(), undefined);
    await linkStep(root).make();

    assert.ok(linkStep(root).there());
    fs.renameSync(root, path.join(folder, "moved"));
    const cell = path.join(folder, "moved/notebooks/mine/cell.ts");
    assert.equal((createRequire(cell)("sharpness-lab") as { answer: number }).answer, 42);
    const options = { moduleResolution: ts.ModuleResolutionKind.Node10 };
    const { resolvedModule } = ts.resolveModuleName("sharpness-lab", cell, options, ts.sys);
    assert.equal(resolvedModule?.resolvedFileName, path.join(folder, "moved/dist/index.d.ts"));
  });
});
