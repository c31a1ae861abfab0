/** Shared by all commands: errors, signals, and the width of the terminal. Nothing here loads the engine, whose threads a command may set first. */
import os from "node:os";
import type { TextOptions } from "../tables";

/** Exit code where a file may not be written (sysexits.h: EX_NOPERM); the program that started the command then gives advice. */
const noPermission = 77;

/** Runs a command. An error is its message, without a stack, and a non-zero exit code. */
export function runCommand(main: () => Promise<unknown>): void {
  main().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = /\b(EACCES|EPERM|EROFS)\b/.test(error.message) ? noPermission : 1;
  });
}

/** A signal that is aborted where the user, npm or the system asks this process to end, or with `other`. Call `release` when the work is done. */
export function stopSignal(other?: AbortSignal): { readonly signal: AbortSignal; release(): void } {
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  other?.addEventListener("abort", onSignal, { once: true });
  // Not once: npm passes a Ctrl-C on that the terminal has sent already.
  for (const name of endings) process.on(name, onSignal);
  return {
    signal: stop.signal,
    release: () => endings.forEach((name) => void process.off(name, onSignal)),
  };
}

const endings = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** How tables are printed: as wide as the terminal and with bold numbers; 120 characters and *3.98* where a file or a program reads. */
export function terminal({ isTTY, columns }: { isTTY?: boolean; columns?: number } = process.stdout): TextOptions {
  if (!isTTY || !columns) return { width: 120 };
  return { width: Math.max(40, columns), ...(process.env.NO_COLOR ? {} : { emphasize: bold }) };
}

function bold(text: string): string {
  return `\u001b[1m${text}\u001b[22m`;
}

/** Runs side by side: never more than cores, since that gains nothing and each takes 0.5 GB; two fit on any machine. */
export function usableJobs(jobs: number): number {
  const most = Math.max(2, os.availableParallelism());
  if (jobs > most) console.error(`${jobs} jobs asked for; ${most} run side by side, since more than cores gains nothing.`);
  return Math.min(jobs, most);
}
