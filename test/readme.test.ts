import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import * as lab from "../src";
import { updatedReadme } from "../src/cli/readme";

const readme = readFileSync(path.join(__dirname, "../README.md"), "utf8");

describe("README.md", () => {
  it("has an example of at most 15 lines that trains a stock layers model with SAM", async () => {
    const code = exampleOf(readme);
    const printed: unknown[][] = [];

    await run(code, { log: (...values: unknown[]) => printed.push(values) });

    const [losses, message] = printed[0] as [number[], string];
    assert.ok(code.trim().split("\n").length <= 15);
    assert.ok(losses.at(-1)! < 0.7 * losses[0]!, losses.join());
    assert.match(message, /^SAM is active: ‖ε̂‖ = 0\.0500/);
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

function exampleOf(text: string): string {
  const match = /<!-- example:start -->\s*```ts\n([\s\S]*?)```/.exec(text);
  assert.ok(match, "README.md has no example between its markers");
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
