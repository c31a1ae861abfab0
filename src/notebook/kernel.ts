/** The notebook kernel that a cell runs in. It is found at run time: scripts use the library too, and have no kernel. */
import { withInterrupt, type Stoppable } from "../training/interrupt";

/** One output of a cell; each call replaces what the call before has shown. */
export interface CellDisplay {
  svg(text: string): void;
  markdown(text: string): void;
}

interface Tslab {
  newDisplay(): CellDisplay;
}

/** A new output of the running cell; undefined outside of notebooks. */
export function cellDisplay(): CellDisplay | undefined {
  return isNotebook() ? (tslabGlobal()!.require("tslab") as Tslab).newDisplay() : undefined;
}

export function isNotebook(): boolean {
  return tslabGlobal() !== undefined;
}

// tslab gives cells their `require` through this global.
function tslabGlobal(): { require(name: string): unknown } | undefined {
  return (globalThis as { __tslab__?: { require(name: string): unknown } }).__tslab__;
}

/**
 * Runs `work` with a signal that the notebook's interrupt aborts. By itself, the kernel would end the cell with a stack and drop what
 * the work returns; now the cell goes on with what there is. Any further work of that cell is stopped before its first step, so that
 * an interrupt ends a loop as well. Outside of notebooks it is `work` alone.
 */
export async function interruptible<Options extends Stoppable, Result>(
  options: Options,
  work: (options: Options) => Promise<Result>,
): Promise<Result> {
  if (!isNotebook() || options.stopOnInterrupt === false) return work(options);
  if (runningCell() === interruptedCell) return work({ ...options, signal: AbortSignal.abort() });
  return withInterrupt(options, async (own) => {
    own.signal!.addEventListener("abort", () => (interruptedCell = runningCell()));
    takeInterrupts();
    try {
      return await work(own);
    } finally {
      giveInterruptsBack();
    }
  });
}

let interruptedCell: unknown;

/** Something that is the same throughout a cell and different in every other: tslab replaces this function before each. */
function runningCell(): unknown {
  return process.stdout.write;
}

let takers = 0;
let taken: NodeJS.SignalsListener[] = [];

function takeInterrupts(): void {
  if (takers++ > 0) return;
  taken = process.listeners("SIGINT").filter((listener) => String(listener).includes("executor.interrupt()"));
  for (const listener of taken) process.off("SIGINT", listener);
}

function giveInterruptsBack(): void {
  if (--takers > 0) return;
  for (const listener of taken) process.on("SIGINT", listener);
}
