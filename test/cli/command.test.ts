import assert from "node:assert/strict";
import os from "node:os";
import { runCommand, stopSignal, terminal, usableJobs } from "../../src/cli/command";
import { toText } from "../../src/tables";

/** What is written to stderr meanwhile. */
function stderrOf(act: () => void): string {
  const { error } = console;
  const lines: string[] = [];
  console.error = (line: string) => void lines.push(line);
  try {
    act();
  } finally {
    console.error = error;
  }
  return lines.join("\n");
}

describe("a command", () => {
  it("fits its tables to the terminal, and to 120 characters in a file", () => {
    const rows = [{ method: "SAM", error: "3.98±0.05", note: "word ".repeat(50) }];
    const widest = (text: string) => Math.max(...text.split("\n").map((line) => line.length));

    assert.ok(widest(toText(rows, terminal({ isTTY: true, columns: 60 }))) <= 60);
    assert.ok(widest(toText(rows, terminal({}))) > 60);
    assert.ok(widest(toText(rows, terminal({}))) <= 120);
  });

  it("runs no more jobs than there are cores, and says so", () => {
    const most = Math.max(2, os.availableParallelism());
    let jobs = 0;

    const said = stderrOf(() => (jobs = usableJobs(100_000)));

    assert.equal(jobs, most);
    assert.match(said, /^100000 jobs asked for; \d+ run side by side/);
    assert.equal(
      stderrOf(() => (jobs = usableJobs(1))),
      "",
    );
    assert.equal(jobs, 1);
  });

  it("stops at SIGTERM and SIGHUP as at Ctrl-C, and listens no longer once its work is done", () => {
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      const before = process.listenerCount(name);
      const { signal, release } = stopSignal();

      process.emit(name);
      release();

      assert.equal(signal.aborted, true);
      assert.equal(process.listenerCount(name), before);
    }
  });

  it("that may not write a file ends with exit code 77, at which its starter gives advice; other errors with 1", async () => {
    const code = process.exitCode;
    const { error } = console;
    console.error = () => {};
    try {
      const codes: unknown[] = [];
      for (const message of ["EACCES: permission denied, open 'x'", "no such item"]) {
        runCommand(() => Promise.reject(new Error(message)));
        await new Promise((resolve) => setImmediate(resolve));
        codes.push(process.exitCode);
      }

      assert.deepEqual(codes, [77, 1]);
    } finally {
      console.error = error;
      process.exitCode = code;
    }
  });
});
