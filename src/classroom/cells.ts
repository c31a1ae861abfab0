/** Runs compiled cells as tslab does, with tslab's own executor: shared by the student's process and the examiner. */
import Module from "node:module";
import path from "node:path";
import { projectRoot } from "../data/files";

/** What tslab's converter makes of a cell. */
export interface CompiledCell {
  readonly output?: string;
  readonly hasToplevelAwait?: boolean;
  readonly lastExpressionVar?: string;
  readonly declOutput?: string;
  /** Errors of types and syntax, in words; the cell does not run. */
  readonly problems: readonly string[];
}

export interface CellRunner {
  /** Names that cells have declared. */
  readonly locals: Record<string, unknown>;
  /** What went wrong, in words; undefined where nothing did. */
  run(cell: CompiledCell): Promise<string | undefined>;
}

interface TslabExecutor {
  readonly locals: Record<string, unknown>;
  execute(source: string): Promise<boolean>;
}

/** The folder that a notebook's imports start from. */
export function cellFolder(): string {
  return path.join(projectRoot(), "notebooks", "assignments");
}

/** The files are compiled before, so the converter only hands over what was made. */
export function cellRunner(): CellRunner {
  standIns();
  const { createExecutor } = require("tslab/dist/executor") as { createExecutor: (...args: unknown[]) => TslabExecutor };
  let cell: CompiledCell = { problems: [] };
  const errors: string[] = [];
  const node = { convert: () => ({ ...cell, diagnostics: [] }) };
  const quiet = { log: () => {}, error: (error: unknown) => void errors.push(errorText(error)) };
  const executor = createExecutor(cellFolder(), { node }, quiet);
  return {
    locals: executor.locals,
    run: async (next) => {
      cell = next;
      errors.length = 0;
      const ran = await executor.execute("");
      return ran ? undefined : errors.join("\n") || "stopped without a message";
    },
  };
}

/**
 * Parts of tslab that are not needed and would load its TypeScript: figures go nowhere, since no notebook is looking, and cells that are
 * modules were compiled before.
 */
function standIns(): void {
  const silent = new Proxy({}, { get: () => () => {} });
  standIn("tslab", { display: silent, newDisplay: () => silent, versions: {} });
  standIn("tslab/dist/metadata", { getCodeMetadata: () => ({}) });
}

function standIn(name: string, exports: object): void {
  const id = require.resolve(name);
  require.cache[id] = Object.assign(new Module(id), { filename: id, loaded: true, exports });
}

export function errorText(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
