/** A process that compiles cells with tslab's converter, so that they mean what they mean in the notebook. It runs none of them. */
import readline from "node:readline";
import type { CompiledCell } from "./cells";

export interface CompileRequest {
  /** Declarations of the cells before. */
  readonly declarations: string;
  readonly source: string;
}

interface Diagnostic {
  readonly start: { readonly line: number };
  readonly messageText: string;
}

interface Converter {
  convert(declarations: string, source: string): Omit<CompiledCell, "problems"> & { readonly diagnostics: readonly Diagnostic[] };
}

function main(): void {
  const { createConverter } = require("tslab/dist/converter") as { createConverter: (options: object) => Converter };
  const converter = createConverter({});
  const answer = (line: string) => process.stdout.write(JSON.stringify(compiled(converter, line)) + "\n");
  readline
    .createInterface({ input: process.stdin })
    .on("line", answer)
    .on("close", () => process.exit(0));
}

function compiled(converter: Converter, line: string): CompiledCell {
  const { declarations, source } = JSON.parse(line) as CompileRequest;
  try {
    const { output, hasToplevelAwait, lastExpressionVar, declOutput, diagnostics } = converter.convert(declarations, source);
    const problems = diagnostics.map(({ start, messageText }) => `line ${start.line + 1}: ${messageText}`);
    return { output, hasToplevelAwait, lastExpressionVar, declOutput, problems };
  } catch (error) {
    return { problems: [`the cell cannot be compiled: ${(error as Error).message}`] };
  }
}

main();
