/** The table that each attack ends with. */
import { toText, type TableRow } from "../../src/tables";

export interface Outcome extends TableRow {
  /** What was done, and how often. */
  readonly attack: string;
  readonly tries: number;
  readonly failures: number;
  /** The first failure, in one line. */
  readonly example?: string;
}

/** Counts the failures of an attack; `attempt` returns what went wrong, or undefined. */
export async function attempts(
  attack: string,
  tries: number,
  attempt: (i: number) => Promise<string | undefined>,
): Promise<Outcome> {
  const problems: string[] = [];
  for (let i = 0; i < tries; i++) {
    const problem = await attempt(i).catch((error: Error) => error.stack ?? error.message);
    if (problem !== undefined) problems.push(`${i}: ${problem}`);
  }
  return { attack, tries, failures: problems.length, example: problems[0]?.split("\n").slice(0, 3).join(" ").slice(0, 300) };
}

/** Prints the table; any failure makes the exit code 1. */
export function finish(outcomes: readonly Outcome[]): void {
  const columns = { attack: "attack", tries: "tries", failures: "failures", example: "first failure" };
  console.log(toText(outcomes, { columns, width: 120 }));
  if (outcomes.some(({ failures }) => failures > 0)) process.exitCode = 1;
}

/** A number from the command line. */
export function countFrom(argument: string | undefined, otherwise: number): number {
  const count = Number(argument ?? otherwise);
  if (!Number.isInteger(count) || count < 1) throw new Error(`${argument}: expected a whole number of at least 1`);
  return count;
}
