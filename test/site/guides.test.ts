/** Each guide is a program: its examples are compiled together, and run in order in a folder that holds what they ask for. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { PNG } from "pngjs";
import ts from "typescript";
import * as lab from "../../src";

const root = path.join(__dirname, "../..");
const folder = path.join(root, "src/site/guides");
const guides = readdirSync(folder)
  .filter((name) => name.endsWith(".md"))
  .map((name) => ({ name, text: readFileSync(path.join(folder, name), "utf8") }));

describe("the how-to guides", function () {
  this.timeout(300_000);

  it("have examples without a type error", () => {
    assert.deepEqual(typeErrors(new Map(guides.map(({ name, text }) => [name.replace(".md", ".ts"), examplesOf(text)]))), []);
  });

  for (const { name, text } of guides) {
    it(`${name}: its examples run from top to bottom`, async () => {
      const printed = await inPreparedFolder(() => run(examplesOf(text)));

      assert.ok(!/\bNaN\b|undefined/.test(printed), printed);
    });
  }

  it("name only commands, public names and files that exist", () => {
    const scripts = Object.keys(
      (JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as { scripts: object }).scripts,
    );
    for (const { name, text } of guides) {
      const commands = [...text.matchAll(/npm run ([\w:-]+)/g)].map((match) => match[1]!);
      const files = [...text.matchAll(/`((?:src|data|test)\/[\w./-]+)`/g)].map((match) => match[1]!);
      assert.deepEqual(commands.filter((each) => !scripts.includes(each)), [], name); // prettier-ignore
      assert.deepEqual(files.filter((each) => !each.startsWith("data/cache") && !existsSync(path.join(root, each))), [], name); // prettier-ignore
    }
  });

  it("tell PyTorch the names and shapes that the network has", () => {
    const python = [
      ...guides.find(({ name }) => name.endsWith("pytorch-weights.md"))!.text.matchAll(/```python\n([\s\S]*?)```/g),
    ];
    const { parameters } = lab.mlp({ inputShape: [28, 28, 1], numClasses: 10, hidden: [64] });
    const names = parameters.map((each) => `weights/${each.name}`).sort();

    for (const [, code] of python) {
      const used = [...code!.matchAll(/"(weights\/[^"]+)"/g)].map((match) => match[1]!);
      assert.deepEqual(used.sort(), names);
    }
    // nn.Linear(784, 64).weight is (64, 784), so that .T has the shape of our kernel.
    assert.deepEqual(parameters.map(({ shape }) => shape.join()).sort(), ["10", "64", "64,10", "784,64"]);
  });
});

/** The TypeScript of a guide, one program. */
function examplesOf(text: string): string {
  return [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]!).join("\n");
}

function typeErrors(sources: ReadonlyMap<string, string>): string[] {
  const options: ts.CompilerOptions = {
    ...{ target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler },
    ...{ strict: true, noUncheckedIndexedAccess: true, esModuleInterop: true, skipLibCheck: true, noEmit: true, types: ["node"] },
    ...{ baseUrl: root, paths: { "sharpness-lab": ["src/index.ts"] } },
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  const textOf = (file: string) => (path.dirname(file) === path.normalize(folder) ? sources.get(path.basename(file)) : undefined);
  host.getSourceFile = (file, ...rest) => {
    const text = textOf(file);
    return text === undefined ? getSourceFile(file, ...rest) : ts.createSourceFile(file, text, ts.ScriptTarget.ES2022);
  };
  host.fileExists = (file) => textOf(file) !== undefined || fileExists(file);
  const files = [...sources.keys()].map((name) => path.join(folder, name));
  const program = ts.createProgram(files, options, host);
  return files.flatMap((file) =>
    [
      ...program.getSemanticDiagnostics(program.getSourceFile(file)),
      ...program.getSyntacticDiagnostics(program.getSourceFile(file)),
    ].map(({ messageText, start }) => {
      const line = sources.get(path.basename(file))!.slice(0, start).split("\n").length;
      return `${path.basename(file)}, line ${line} of its code: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
    }),
  );
}

/** Runs a program with the library from its sources. @returns what it printed */
async function run(code: string): Promise<string> {
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.CommonJS, esModuleInterop: true },
  });
  const printed: string[] = [];
  const fromHere = createRequire(__filename);
  const load = (name: string): unknown => (name === "sharpness-lab" ? lab : fromHere(name));
  const main = new Function("require", "exports", "console", `return (async () => {\n${outputText}\n})();`) as Main;
  await main(load, {}, { log: (...values: unknown[]) => printed.push(values.map(String).join(" ")) });
  return printed.join("\n");
}

type Main = (load: (name: string) => unknown, exports: object, console: { log(...values: unknown[]): void }) => Promise<void>;

/** A folder with images/, labels.csv and from-pytorch.safetensors, in which `work` runs. */
async function inPreparedFolder<T>(work: () => Promise<T>): Promise<T> {
  const [before, here] = [process.cwd(), mkdtempSync(path.join(os.tmpdir(), "guides-"))];
  await lab.ready();
  process.chdir(here);
  try {
    // A project that has installed the kit has its packages too; worker processes look for tsx here.
    symlinkSync(path.join(root, "node_modules"), "node_modules", "dir");
    writeImages();
    writeLabels();
    writeWeights();
    return await work();
  } finally {
    process.chdir(before);
    rmSync(here, { recursive: true });
  }
}

function writeImages(): void {
  const { images, labels, size } = lab.syntheticImages({ shape: [12, 12, 1], numClasses: 2, size: 60 });
  for (let i = 0; i < size; i++) {
    const file = path.join("images", ["boots", "shirts"][labels[i]!]!, `${i}.png`);
    mkdirSync(path.dirname(file), { recursive: true });
    const png = { width: 12, height: 12, data: Buffer.from(images.subarray(144 * i, 144 * (i + 1))) } as PNG;
    writeFileSync(file, PNG.sync.write(png, { colorType: 0, inputColorType: 0 }));
  }
}

function writeLabels(): void {
  const { labels } = lab.syntheticImages({ shape: [12, 12, 1], numClasses: 4, size: 400 });
  const { noisyLabels } = lab.symmetricNoise(labels, { noiseRate: 0.4, numClasses: 4 });
  writeFileSync("labels.csv", ["index,label", ...noisyLabels.map((label, i) => `${i},${label}`)].join("\n"));
}

function writeWeights(): void {
  const { init } = lab.mlp({ inputShape: [28, 28, 1], numClasses: 10, hidden: [64] });
  const variables = init(new lab.Rng(0));
  lab.saveVariables("from-pytorch.safetensors", variables);
  lab.disposeVariables(variables);
}
