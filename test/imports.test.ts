/** How the sources of src/ import each other. The linter knows which folder may import which; type-only imports count here too. */
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import ts from "typescript";

const src = path.join(__dirname, "../src");

type Imports = ReadonlyMap<string, readonly string[]>;

/** Each source file with the source files that it imports from, if only types. */
function importsIn(folder: string): Imports {
  const names = fs.readdirSync(folder, { recursive: true }).map(String);
  const files = names.filter((name) => name.endsWith(".ts"));
  return new Map(files.map((file) => [file, importedFiles(folder, file).filter((name) => files.includes(name))]));
}

function importedFiles(folder: string, file: string): string[] {
  const { importedFiles } = ts.preProcessFile(fs.readFileSync(path.join(folder, file), "utf8"));
  const relative = importedFiles.map(({ fileName }) => fileName).filter((name) => name.startsWith("."));
  const base = relative.map((name) => path.normalize(path.join(path.dirname(file), name)));
  return base.flatMap((name) => [`${name}.ts`, path.join(name, "index.ts")]);
}

/** Each circle once, as the files on the way round: depth first, a circle closes at a file that is still on the path. */
function circlesIn(imports: Imports): string[][] {
  const circles: string[][] = [];
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): void => {
    if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file]);
    if (way.includes(file) || done.has(file)) return;
    for (const next of imports.get(file) ?? []) visit(next, [...way, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  return circles;
}

describe("imports in src/", () => {
  it("go round in no circle, not even for types", () => {
    const circles = circlesIn(importsIn(src));

    assert.deepEqual(circles.map((way) => way.join(" → ")), []); // prettier-ignore
  });

  it("are found to go round where types, re-exports and folders do", () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "imports-"));
    try {
      fs.mkdirSync(path.join(folder, "b"));
      fs.writeFileSync(path.join(folder, "a.ts"), `import type { B } from "./b";`);
      fs.writeFileSync(path.join(folder, "b/index.ts"), `export * from "./c";`);
      fs.writeFileSync(path.join(folder, "b/c.ts"), `export type B = import("../a").A;`);
      fs.writeFileSync(path.join(folder, "d.ts"), `import { A } from "./a"; import fs from "node:fs";`);

      assert.deepEqual(circlesIn(importsIn(folder)).map((way) => way.join(" ")), ["a.ts b/index.ts b/c.ts a.ts"]); // prettier-ignore
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});
