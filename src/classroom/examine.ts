/** Runs a submission in its confined process under the eyes of the examiner, again without the cell at fault where one ends it. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { projectRoot } from "../data/files";
import { cellFolder } from "./cells";
import type { Verdict } from "./check";
import { eventMark, type Examination, type ExaminerEvent } from "./events";
import type { ConfinedProcess, Limits, Sandbox } from "./sandbox";

export interface GradingLimits extends Limits {
  /** Seconds that one cell or one test may compute; it may take ten times as long. */
  readonly cellSeconds: number;
  /** Longest that a submission may take, with all attempts. */
  readonly totalSeconds: number;
}

export interface CellOutcome {
  /** What went wrong, as a sentence without its subject; undefined where nothing did. */
  readonly problem?: string;
}

export interface TestOutcome extends CellOutcome {
  readonly passed: boolean;
  readonly verdicts: readonly Verdict[];
}

export interface Outcomes {
  readonly cells: ReadonlyMap<string, CellOutcome>;
  readonly tests: ReadonlyMap<string, TestOutcome>;
}

export interface ExamineOptions {
  readonly sandbox: Sandbox;
  readonly limits: GradingLimits;
}

/**
 * Outcome of every cell and test. A cell or test that ends the process, or is ended, fails with the reason; all others are run again without it.
 * @throws where the process does not even start
 */
export async function examine(examination: Examination, options: ExamineOptions): Promise<Outcomes> {
  const cells = new Map<string, CellOutcome>();
  const tests = new Map<string, TestOutcome>();
  const deadline = Date.now() + 1000 * options.limits.totalSeconds;
  const fatal = new Set<string>();
  for (;;) {
    const left: Examination = {
      ...examination,
      submitted: examination.submitted.filter(({ id }) => !fatal.has(id)),
      tests: examination.tests.filter(({ id }) => !tests.has(id)),
    };
    const attempt = new Attempt(left, { ...options, deadline });
    const end = await attempt.run({ cells, tests });
    if (end === undefined) return { cells, tests };
    const outOfTime = Date.now() >= deadline;
    if (end.isTest) tests.set(end.id, { passed: false, verdicts: [], problem: end.problem });
    else cells.set(end.id, { problem: end.problem });
    fatal.add(end.id);
    if (!outOfTime) continue;
    const problem = `was not run: the whole submission took more than ${options.limits.totalSeconds} s`;
    for (const { id } of examination.tests) if (!tests.has(id)) tests.set(id, { passed: false, verdicts: [], problem });
    return { cells, tests };
  }
}

interface FatalEnd {
  readonly id: string;
  readonly isTest: boolean;
  readonly problem: string;
}

interface Results {
  readonly cells: Map<string, CellOutcome>;
  readonly tests: Map<string, TestOutcome>;
}

/** Starting and loading the executor; ours, it takes less than one. */
const startSeconds = 60;

class Attempt {
  private current: string | undefined;
  private complete = false;

  constructor(
    private readonly examination: Examination,
    private readonly options: ExamineOptions & { readonly deadline: number },
  ) {}

  /** Undefined where all was run; else the cell or test during which the process ended. */
  async run(results: Results): Promise<FatalEnd | undefined> {
    const { student, examiner } = startPair(this.options);
    student.allow(startSeconds);
    const timer = setTimeout(() => student.end("time"), Math.max(0, this.options.deadline - Date.now()));
    let stderr = "";
    examiner.stderr!.on("data", (text: Buffer) => (stderr += text.toString()));
    examiner.stdin!.on("error", () => {}).end(JSON.stringify(this.examination));
    const closed = new Promise((resolve) => examiner.on("close", resolve));
    for await (const line of readline.createInterface({ input: examiner.stdout! }))
      if (line.startsWith(eventMark)) this.note(JSON.parse(line.slice(eventMark.length)) as ExaminerEvent, { results, student });
    await closed;
    clearTimeout(timer);
    // One that has ended by itself gets the time to say how.
    if (!this.complete) await Promise.race([student.ended, pause(10_000, undefined, { ref: false })]);
    student.end("finished");
    const { code, stderr: last } = await student.ended;
    if (this.complete) return undefined;
    if (stderr) throw new Error(`the grader itself failed: ${stderr.trim().split("\n").at(-1)}`);
    if (this.current === undefined) throw new Error(`student code cannot be started here: ${last.trim().split("\n").at(-1)}`);
    const isTest = this.examination.tests.some(({ id }) => id === this.current);
    return { id: this.current, isTest, problem: this.describe(student, { code, stderr: last }) };
  }

  private note(event: ExaminerEvent, { results, student }: { results: Results; student: ConfinedProcess }): void {
    if (event.event === "begin") {
      this.current = event.id;
      student.allow(this.options.limits.cellSeconds);
    }
    if (event.event === "ran") results.cells.set(event.id, { problem: event.error });
    if (event.event === "tested") results.tests.set(event.id, testOutcome(event));
    if (event.event === "done") this.complete = true;
  }

  private describe(student: ConfinedProcess, { code, stderr }: { code: number | null; stderr: string }): string {
    const { limits } = this.options;
    const reason = student.reason();
    if (reason === "time") return `computed longer than ${limits.cellSeconds} s and was stopped, as an endless loop is`;
    if (reason === "memory" || /heap out of memory|bad_alloc|allocation failed/i.test(stderr))
      return `used more than the ${limits.memory} MiB of memory that a submission may use`;
    if (reason === "processes")
      return `started more than the ${limits.processes} processes and threads that a submission may have`;
    if (reason === "finished") return "broke its connection to the grader";
    return code === 0 ? "ended its own process" : `made its process end early (exit code ${code})`;
  }
}

function testOutcome({ verdicts, error }: Extract<ExaminerEvent, { event: "tested" }>): TestOutcome {
  const passed = error === undefined && verdicts.length > 0 && verdicts.every(({ problem }) => problem === undefined);
  return { passed, verdicts, problem: error };
}

/** Both processes, joined by two pipes that only they hold. */
function startPair({ sandbox, limits }: ExamineOptions): { student: ConfinedProcess; examiner: ChildProcess } {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sharpness-pipes-"));
  try {
    const [calls, answers] = [pipe(path.join(folder, "calls")), pipe(path.join(folder, "answers"))];
    const student = sandbox.start("student.js", { limits, stdio: ["ignore", "ignore", "pipe", calls.read, answers.write] });
    const examiner = spawn(process.execPath, [path.join(projectRoot(), "dist/classroom/examiner.js")], {
      ...{ cwd: cellFolder(), env: { ...process.env, SHARPNESS_THREADS: "1" } },
      stdio: ["pipe", "pipe", "pipe", answers.read, calls.write],
    });
    for (const fd of [calls.read, calls.write, answers.read, answers.write]) fs.closeSync(fd);
    return { student, examiner };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** A blocking pipe; Node makes only sockets that do not block, and a test must wait for its answer. */
function pipe(file: string): { read: number; write: number } {
  const { status, stderr } = spawnSync("mkfifo", ["-m", "600", file], { encoding: "utf8" });
  if (status !== 0) throw new Error(`mkfifo fails: ${stderr || "it is missing"}`);
  // Opened for both first, since either end alone waits for the other.
  const both = fs.openSync(file, "r+");
  const ends = { read: fs.openSync(file, "r"), write: fs.openSync(file, "w") };
  fs.closeSync(both);
  return ends;
}
