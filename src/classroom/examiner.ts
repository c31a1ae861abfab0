/**
 * The trusted process beside the student's: it runs the tests, and no line of the student's. A student's function is a stand-in here that
 * sends its arguments over, and gets numbers back. So nothing that student code prints, patches or returns can be a verdict.
 */
import fs from "node:fs";
import { cellRunner, type CellRunner, type CompiledCell } from "./cells";
import { onVerdict, type Verdict } from "./check";
import { eventMark, type Examination, type ExaminedCell, type ExaminerEvent } from "./events";
import { decode, encode, Wire } from "./wire";

const wire = new Wire({ read: 3, write: 4 });

class StudentGone extends Error {}

async function main(): Promise<void> {
  const { given, submitted, tests, names } = JSON.parse(fs.readFileSync(0, "utf8")) as Examination;
  const runner = cellRunner();
  for (const cell of given) {
    const error = await runner.run(cell);
    if (error) throw new Error(`a given cell fails: ${error}`);
  }
  ask(undefined);
  for (const { id, cell } of submitted) {
    tell({ event: "begin", id });
    tell({ event: "ran", id, error: runThere(cell) });
  }
  for (const test of tests) await runTest(test, { runner, names });
  tell({ event: "done" });
}

function tell(event: ExaminerEvent): void {
  fs.writeSync(1, eventMark + JSON.stringify(event) + "\n");
}

/** Sends a message and waits for the answer; `undefined` only waits. */
function ask(message: object | undefined): Record<string, unknown> {
  try {
    if (message) wire.send(message);
  } catch {
    throw new StudentGone();
  }
  const answer = wire.receive();
  if (!answer) throw new StudentGone();
  return answer;
}

function runThere(cell: CompiledCell): string | undefined {
  const { error } = ask({ do: "run", cell });
  return error === undefined ? undefined : String(error);
}

async function runTest(
  { id, cell }: ExaminedCell,
  { runner, names }: { runner: CellRunner; names: readonly string[] },
): Promise<void> {
  tell({ event: "begin", id });
  const verdicts: Verdict[] = [];
  onVerdict((verdict) => verdicts.push(verdict));
  let gone = false;
  const lose = () => (gone = true);
  for (const name of names) runner.locals[name] = standIn(name, lose);
  const error = await runner.run(cell);
  if (gone) throw new StudentGone();
  tell({ event: "tested", id, verdicts, error });
}

/** What a name of the student's is in a test: a function that calls over there, or a value from there. */
function standIn(name: string, lose: () => void): unknown {
  const { is, value } = ask({ do: "look", name });
  if (is === "value") return decode(value) ?? missing(name);
  return (...args: unknown[]) => {
    try {
      return callThere(name, args);
    } catch (error) {
      if (error instanceof StudentGone) lose();
      throw error;
    }
  };
}

function missing(name: string): () => never {
  return () => {
    throw new Error(`${name} is not defined`);
  };
}

function callThere(name: string, args: unknown[]): unknown {
  const functions: ((...args: unknown[]) => unknown)[] = [];
  const keep = (f: (...args: unknown[]) => unknown) => functions.push(f) - 1;
  let answer = ask({ do: "call", name, args: args.map((each) => encode(each, keep)) });
  while (answer.is === "callback") answer = ask(called(functions[Number(answer.id)], answer.args));
  if (answer.is === "returned") return decode(answer.value);
  throw new Error(String(answer.message));
}

function called(f: ((...args: unknown[]) => unknown) | undefined, args: unknown): object {
  try {
    if (!f || !Array.isArray(args)) throw new Error("no such function");
    return { do: "result", value: encode(f(...args.map((each) => decode(each)))) };
  } catch (error) {
    return { do: "failed", message: (error as Error).message };
  }
}

main().catch((error: Error) => {
  if (error instanceof StudentGone) return tell({ event: "lost" });
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
