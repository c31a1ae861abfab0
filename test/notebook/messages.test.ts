/** What a reader of a notebook sees for a misspelled option: the kernel's compiler names the interface, not all of its fields. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import type { z } from "zod";
import { runConfigSchema, type DatasetOptions, type NoiseOptions, type RunOptions } from "../../src/experiments/config";
import { trainConfigSchema, type TrainOptions } from "../../src/training/config";

const root = path.join(__dirname, "../..");

interface Converter {
  convert(previous: string, code: string): { diagnostics: { messageText: string }[] };
  close(): void;
}

/** What tslab's compiler (TypeScript 5.0.4) says about cells that use the built library. */
function messagesOf(cells: readonly string[]): string[] {
  const folder = process.cwd();
  process.chdir(path.join(root, "notebooks"));
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- tslab has no types for it
    const { createConverter } = require("tslab/dist/converter.js") as { createConverter(options: object): Converter };
    const converter = createConverter({ isJS: false, isBrowser: false });
    const answers = cells.map((code) => converter.convert("", `import * as lab from "..";\n${code}`).diagnostics);
    converter.close();
    return answers.map((diagnostics) => diagnostics.map(({ messageText }) => messageText).join("\n"));
  } finally {
    process.chdir(folder);
  }
}

type Both<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type SameFields<A, B> = Both<keyof A, keyof B> extends true ? Both<A, B> : false;

describe("option types", () => {
  it("have the fields of the schemas that check them, no more and no fewer", () => {
    const training: SameFields<TrainOptions, z.input<typeof trainConfigSchema>> = true;
    const run: SameFields<RunOptions, z.input<typeof runConfigSchema>> = true;
    const dataset: SameFields<DatasetOptions, z.input<typeof runConfigSchema>["dataset"]> = true;
    const noise: SameFields<NoiseOptions, NonNullable<z.input<typeof runConfigSchema>["noise"]>> = true;

    assert.ok(training && run && dataset && noise);
  });

  it("give two short lines for a misspelled option in a notebook", function () {
    this.timeout(300_000);
    assert.ok(existsSync(path.join(root, "dist/index.js")), "the library is not built: npm run build");

    const [rho, dataset] = messagesOf([
      "const training: lab.TrainOptions = { epochs: 2, roh: 0.1 };",
      'const run: lab.RunOptions = { dataset: { name: "mnist", trainsize: 3 }, model: { name: "mlp" }, training: { epochs: 2 } };',
    ]);

    assert.equal(
      rho,
      "Type '{ epochs: number; roh: number; }' is not assignable to type 'TrainOptions'.\n" +
        "Object literal may only specify known properties, and 'roh' does not exist in type 'TrainOptions'.",
    );
    assert.match(dataset!, /'trainsize' does not exist in type 'DatasetOptions'. Did you mean to write 'trainSize'\?$/);
  });
});
