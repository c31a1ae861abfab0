import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { budgets } from "../../src/paper/item";
import { readRecords } from "../../src/experiments/records";
import { catalog } from "../../src/paper/catalog";
import { describeLeft } from "../../src/cli/itemRuns";
import { table5 } from "../../src/paper/comparison/table5";
import { runScript, type ChildOptions } from "../support/children";
import { readEvents } from "../support/eventFiles";
import { projectCopy } from "../support/projectCopy";

const ids = catalog.map(({ id }) => id);

describe("cli/reproduce", function () {
  // Processes start slowly on a busy machine.
  this.timeout(600_000);
  let project: string;
  const reproduce = (args: readonly string[], options: ChildOptions = {}) =>
    runScript(path.join(project, "src/cli/reproduce.ts"), args, { cwd: project, ...options });
  const recordsFolder = () => path.join(project, "data/cache/results");
  const recorded = () => readRecords("table-5", { folders: [recordsFolder()] });

  before(() => (project = projectCopy()));
  after(() => fs.rmSync(project, { recursive: true }));

  it("--help tells a newcomer what can be reproduced, at which budgets, and how to stop", async () => {
    const { code, lines, stderr } = await reproduce(["--help"]);
    const help = lines.join("\n");

    assert.deepEqual([code, stderr], [0, ""]);
    for (const word of [...ids, ...budgets, "--jobs", "--dry-run", "Ctrl-C"]) assert.ok(help.includes(word), word);
    assert.match(help, /npm run reproduce -- table-5 +the demo of Table 5/);
  });

  it("--list names every table and figure with its claim and the budgets that have results, in lines that fit", async () => {
    const { code, lines, stderr } = await reproduce(["--list"]);

    assert.deepEqual([code, stderr], [0, ""]);
    for (const id of ids) assert.ok(lines.some((line) => line.startsWith(`${id} `)), id); // prettier-ignore
    assert.match(lines.join("\n"), /table-6 .*needs no runs/);
    assert.ok(lines.every((line) => line.length <= 120));
  });

  it("an unknown item, a path, or jobs that are no count, is one line that says what is expected", async () => {
    const names = ["table-55", "../../etc/passwd"];
    const [items, jobs] = await Promise.all([
      Promise.all(names.map((name) => reproduce([name]))),
      reproduce(["table-5", "--jobs", "0"]),
    ]);

    for (const [i, { code, stderr }] of items.entries())
      assert.deepEqual([code, stderr], [1, `no item "${names[i]}"; there are ${ids.join(", ")}\n`]);
    assert.equal(jobs.code, 1);
    assert.match(jobs.stderr, /^error: .*'0' is invalid\. expected a whole number of at least 1\n$/);
  });

  it("--dry-run lists the runs with their keys and what they cost, and makes none", async () => {
    const { code, lines } = await reproduce(["table-5", "--budget", "smoke", "--dry-run"]);

    assert.equal(code, 0);
    assert.equal(
      lines.filter((line) =>
        /^ {2}[0-9a-f]{16} {2}to run +model ConvNet 4-8, augment (basic|cutout), method .*, rho .* seed [01]; .*FLOP/.test(line),
      ).length,
      12,
    );
    // 256 images; for each augmentation and seed: SGD once and twice, SAM with two gradients: 5 epochs' worth
    assert.match(lines.join("\n"), /12 of 12 runs to make: 0\.01 million gradients.*, about \d+ \w+ on this machine/); // 256·5·2·2 = 5120
    assert.ok(!fs.existsSync(recordsFolder()));
  });

  it("--hours stops by itself, says how many runs are left, and takes no more items", async () => {
    const { code, lines, stderr } = await reproduce(["figure-3-middle", "table-5", "--budget", "demo", "--hours", "0.0005"]);

    assert.deepEqual([code, stderr], [0, ""]);
    const text = lines.join("\n");
    assert.match(text, /figure-3-middle: stopped after 0\.00050 hours; at least \d+ runs are left.*; the same command goes on$/m);
    assert.ok(!text.includes("Table 5, budget demo"), text);
  });

  it("counts the time that is left from the work that was done", () => {
    // A quarter of the work in half an hour: the other three quarters take an hour and a half
    const work = { before: { runs: 40, cost: 80 }, after: { runs: 31, cost: 60 } };

    assert.equal(
      describeLeft(0.5, work),
      "stopped after 0.50 hours; at least 31 runs are left, about 1.5 hours at this pace; the same command goes on",
    );
    assert.equal(
      describeLeft(0.5, { ...work, after: work.before }),
      "stopped after 0.50 hours; at least 40 runs are left; the same command goes on",
    );
  });

  describe("a table", () => {
    it("stopped by Ctrl-C keeps the finished runs, says so, and leaves no process behind", async () => {
      let group = 0;
      const { code, stderr } = await reproduce(["table-5", "--budget", "smoke", "--jobs", "2"], {
        onLine: (line, child) => {
          if (group !== 0 || !/\d+ of 12 runs/.test(line)) return;
          group = child.pid!;
          // As a terminal does, to the command and its workers alike; and again, as npm passes it on.
          process.kill(-group, "SIGINT");
          child.kill("SIGINT");
        },
      });

      assert.equal(code, 1);
      assert.match(stderr, /^stopped; the same command goes on from here$/m);
      assert.ok(recorded().length < 12, "it was stopped too late to test anything");
      assert.throws(() => process.kill(-group, 0), /ESRCH/, "a process of the group still runs");
    });

    it("goes on next time from where it stopped, prints the table, and repeats no run", async () => {
      const before = recorded();

      const { code, lines, stderr } = await reproduce(["table-5", "--budget", "smoke", "--log", "logs"]);

      assert.deepEqual([code, stderr], [0, ""]);
      assert.deepEqual(recorded().slice(0, before.length), before);
      assert.equal(recorded().length, 12);
      assert.ok(
        lines.some((line) => line.includes("4.57±0.07") && line.includes("3.98±0.05")),
        "the paper's numbers",
      );
      assert.ok(!/<sub>|&quot;|\|/.test(lines.join("\n")), "a terminal gets text, neither HTML nor Markdown");
      assert.ok(
        lines.some((line) => line.startsWith("ConvNet 4-8, basic: SAM's error (ρ = 0.05) is")),
        "a conclusion",
      );
      assert.ok(!fs.existsSync(path.join(project, "figures")), "smoke draws nothing");
    });

    it("leaves curves for TensorBoard and a summary of each run where --log says", () => {
      const { key, history, metrics } = recorded().at(-1)!;
      const folder = path.join(project, "logs", key);

      const summary = fs.readFileSync(path.join(folder, "summary.md"), "utf8");
      const losses = readEvents(folder).flatMap(({ values }) => values?.["loss/train"] ?? []);

      assert.ok(
        summary.startsWith(`# Run ${key}\n`) && summary.includes(`Test error ${(100 * metrics.testErrorRate!).toFixed(2)} %`),
      );
      assert.deepEqual(losses, history.map(({ trainLoss }) => Math.fround(trainLoss))); // prettier-ignore
    });

    it("that is recorded is printed again without a run", async () => {
      const { code, lines } = await reproduce(["table-5", "--budget", "smoke"]);

      assert.equal(code, 0);
      assert.ok(!lines.some((line) => /of \d+ runs/.test(line)));
      assert.ok(lines[1]!.startsWith(`${table5.title}, budget smoke`));
    });
  });
});
