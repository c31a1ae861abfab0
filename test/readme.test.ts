import assert from "node:assert/strict";
import fs, { readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { PNG } from "pngjs";
import ts from "typescript";
import * as lab from "../src";
import { updatedReadme } from "../src/cli/readme";

const readme = readFileSync(path.join(__dirname, "../README.md"), "utf8");

describe("README.md", () => {
  it("has five lines that train with SGD and with SAM", async function () {
    if (!lab.data.hasFashionMnist()) this.skip();
    const code = exampleOf(readme, "five");
    const printed: unknown[][] = [];

    await run(code, { log: (...values: unknown[]) => printed.push(values) });

    assert.equal(code.trim().split("\n").length, 5);
    assert.deepEqual(printed.map(([rho]) => rho), [0, 0.1]); // prettier-ignore
    for (const [, errorRate] of printed) assert.ok((errorRate as number) < 0.4, `${String(errorRate)}; chance is 0.9`);
  });

  it("has an example of at most 15 lines that trains a stock layers model with SAM", async () => {
    const code = exampleOf(readme);
    const printed: unknown[][] = [];

    await run(code, { log: (...values: unknown[]) => printed.push(values) });

    const [losses, message] = printed[0] as [number[], string];
    assert.ok(code.trim().split("\n").length <= 15);
    assert.ok(losses.at(-1)! < 0.7 * losses[0]!, losses.join());
    assert.match(message, /^SAM is active: ‖ε̂‖ = 0\.0500/);
  });

  it("has five lines that train on a CSV of wrong labels, and say how many were fitted", async function () {
    if (!lab.data.hasFashionMnist()) this.skip();
    const { labels } = await lab.loadFashionMnist({ split: "train", limit: 1000 });
    const { noisyLabels } = lab.symmetricNoise(labels, { noiseRate: 0.4, numClasses: 10 });
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "readme-"));
    const file = path.join(folder, "labels.csv");
    fs.writeFileSync(file, ["index,label", ...noisyLabels.map((label, i) => `${i},${label}`)].join("\n"));
    const printed: unknown[][] = [];

    try {
      const code = exampleOf(readme, "labels").replace('"labels.csv"', JSON.stringify(file));
      await run(code, { log: (...values: unknown[]) => printed.push(values) });
    } finally {
      fs.rmSync(folder, { recursive: true });
    }

    const [noiseRate, testErrorRate, memorization] = printed[0] as [number, number, lab.training.Memorization];
    assert.equal(noiseRate, 0.4);
    assert.ok(testErrorRate < 0.5, `${testErrorRate}; chance is 0.9`);
    assert.ok(memorization.flippedFitted! < memorization.cleanFitted!);
  });

  it("has ten lines that train on a folder of one's own images", async function () {
    if (!lab.data.hasFashionMnist()) this.skip();
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "readme-"));
    const classes = { shirts: 0, trousers: 1, boots: 9 };
    const { images, labels, shape } = await lab.loadFashionMnist({ split: "train", limit: 1500 });
    for (const [name, label] of Object.entries(classes)) {
      fs.mkdirSync(path.join(folder, name));
      const own = [...labels.keys()].filter((i) => labels[i] === label).slice(0, 100);
      for (const i of own)
        fs.writeFileSync(path.join(folder, name, `${i}.png`), grayPng(images.subarray(784 * i, 784 * (i + 1)), shape));
    }
    const printed: unknown[][] = [];

    try {
      const code = exampleOf(readme, "images");
      assert.ok(code.trim().split("\n").length <= 10);
      await run(code.replace('"images"', JSON.stringify(folder)), { log: (...values: unknown[]) => printed.push(values) });
    } finally {
      fs.rmSync(folder, { recursive: true });
    }

    const [names, sizes, errorRate] = printed[0] as [string[], string, number];
    assert.deepEqual(names, ["boots", "shirts", "trousers"]);
    assert.equal(sizes, "240 images, error on 60 others");
    assert.ok(errorRate < 0.3, `${errorRate}; chance is 0.67`);
  });

  it("shows the committed records: npm run readme", () => {
    assert.equal(readme, updatedReadme(readme));
  });

  it("names only files and commands that exist", () => {
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map((match) => match[1]!);
    const scripts = [...readme.matchAll(/npm run ([a-z:-]+)/g)].map((match) => match[1]!);
    const known = Object.keys((JSON.parse(read("package.json")) as { scripts: object }).scripts);

    assert.deepEqual(links.filter((link) => !exists(link)), []); // prettier-ignore
    assert.deepEqual(scripts.filter((script) => !known.includes(script)), []); // prettier-ignore
  });
});

function exampleOf(text: string, name = "example"): string {
  const match = new RegExp(`<!-- ${name}:start -->\\s*\`\`\`ts\\n([\\s\\S]*?)\`\`\``).exec(text);
  assert.ok(match, `README.md has no ${name} between its markers`);
  return match[1]!;
}

async function run(code: string, console: { log(...values: unknown[]): void }): Promise<void> {
  const body = code.replace(/import (\{.*\}) from "sharpness-lab";/, "const $1 = lab;");
  const { outputText } = ts.transpileModule(`async function main() {\n${body}\n}`, {
    compilerOptions: { target: ts.ScriptTarget.ES2022 },
  });
  const main = new Function("lab", "console", `${outputText}\nreturn main();`) as (...given: unknown[]) => Promise<void>;
  await main(lab, console);
}

function grayPng(pixels: Uint8Array, [height, width]: lab.data.ImageShape): Buffer {
  return PNG.sync.write({ width, height, data: Buffer.from(pixels) } as PNG, { colorType: 0, inputColorType: 0 });
}

function read(file: string): string {
  return readFileSync(path.join(__dirname, "..", file), "utf8");
}

function exists(link: string): boolean {
  try {
    return read(link).length >= 0;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EISDIR";
  }
}
