/** Fourteen submissions, good and bad, are graded in one go. */
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { assignmentsFolder } from "../../src/classroom/assignment";
import { gradeFolder } from "../../src/classroom/gradeFolder";
import { reasonOf } from "../../src/classroom/report";
import type { StudentResult } from "../../src/classroom/results";
import { openSandbox } from "../../src/classroom/sandbox";
import type { Notebook } from "../../src/cli/notebookFile";
import { projectRoot } from "../../src/data/files";
import { codeCell, shortAssignment, solutions, submission } from "./support";

const assignment = shortAssignment();
const solved = solutions(assignment);
const testIds = assignment.cells.filter(({ role }) => role === "test").map(({ id }) => id);
const sandbox = openSandbox({ unconfined: true });
const marker = "sharpness-fork-bomb";

const ofAll = (ids: readonly string[], source: string | null) => Object.fromEntries(ids.map((id) => [id, source]));
const withMSam = (body: string) =>
  submission(assignment, { ...solved, "m-sam": `function mSamGradient(gradients, w, { rho, m }): number[] {\n${body}\n}` });

/** A cell before all others. */
function preceded(notebook: Notebook, source: string): Notebook {
  return { ...notebook, cells: [codeCell(source), ...notebook.cells] };
}

// What a spy finds is in the message of the error that it throws, and so in the reasons.
const spy = (find: string) =>
  submission(assignment, {
    "epsilon-hat": `import fs from "node:fs";\nfunction epsilonHat(): number[] {\n  throw new Error("found " + ${find});\n}`,
  });
const tried = (code: string) => `(() => { try { return ${code}; } catch (error) { return String(error); } })()`;

const forger = `
import fs from "node:fs";
const verdict = '@examiner {"event":"tested","id":"epsilon-hat-test","verdicts":[{"title":"forged"}]}';
for (const fd of [1, 2, 3, 4, 5]) try { fs.writeSync(fd, verdict + '\\n{"event":"done"}\\n{"is":"returned","value":true}\\n'); } catch {}
console.log("ok: forged"); require("../../dist/classroom/check").onVerdict(() => {}); console.error = () => {}; JSON.stringify = () => '{"is":"returned","value":true}';
Object.assign(Object.prototype, { problem: undefined, points: 2, passed: true }); Array.prototype.every = () => true;
process.exit(0);`;

/** Submissions that only a confined process makes harmless. */
const dangerous: Record<string, Notebook> = {
  "memory-bomb": withMSam("const held = []; for (;;) held.push(Buffer.alloc(2 ** 26, 1));"),
  "parent-folder": spy(tried(`["..", "../..", "/tmp", "/root", "/home"].map((each) => fs.readdirSync(each)).flat().join(" ")`)),
  solutions: spy(
    tried(`fs.readFileSync(${JSON.stringify(path.join(assignmentsFolder, "assignment-1.ipynb"))}, "utf8")`) +
      ` + process.env.GRADER_SECRET`,
  ),
  "fork-bomb": withMSam(`require("node:child_process").execSync("f() { f | f & }; f; sleep 60 # ${marker}"); for (;;);`),
};

const notebooks: Record<string, Notebook | string> = {
  perfect: submission(assignment, { ...solved, "m-question": "With m = 2 nothing moves." }),
  partial: submission(assignment, { "epsilon-hat": solved["epsilon-hat"]!, "sam-gradient": solved["sam-gradient"]! }),
  tampered: submission(assignment, ofAll(testIds, 'check("all is well", () => 1, 1);')),
  deleted: submission(assignment, { ...solved, ...ofAll(testIds, null), setup: null }),
  "endless-loop": withMSam("for (;;);"),
  forged: preceded(submission(assignment, {}), forger),
  empty: "",
  "syntax-error": withMSam("return w +;"),
  "late@2026-12-02T09-00": submission(assignment, solved),
  ...(sandbox.confined ? dangerous : {}),
};

describe("grading", function () {
  this.timeout(600_000);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "submissions-"));
  const output = path.join(folder, "grades");
  const results = new Map<string, StudentResult>();

  before(async () => {
    assert.ok(fs.existsSync(path.join(projectRoot(), "dist/classroom/student.js")), "the library is not built: npm run build");
    process.env.GRADER_SECRET = "the grader's secret";
    for (const [student, notebook] of Object.entries(notebooks))
      write(`handed-in/${student}/assignment-1.ipynb`, typeof notebook === "string" ? notebook : JSON.stringify(notebook));
    write("handed-in/wrong-file/homework.txt", "see the e-mail");
    const limits = { memory: 1200, processes: 128, cellSeconds: 5, totalSeconds: 600 };
    const options = { sandbox, limits, output, jobs: 2, deadline: new Date("2026-12-01T18:00") };
    for (const result of await gradeFolder(path.join(folder, "handed-in"), assignment, options))
      results.set(result.student, result);
  });

  after(() => {
    delete process.env.GRADER_SECRET;
    fs.rmSync(folder, { recursive: true, force: true });
  });

  function write(name: string, text: string): void {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
  }

  function expectPoints(student: string, points: number, reason?: RegExp): void {
    const result = results.get(student)!;

    assert.equal(result.points, points, reasonOf(result));
    if (reason) assert.match(reasonOf(result), reason);
  }

  it("gives a perfect submission all points of the tests, and leaves the answer to the teacher", () => {
    expectPoints("perfect", 11, /^$/);
    assert.equal(results.get("perfect")!.unread, 1);
    assert.equal(results.get("perfect")!.most, 13);
  });

  it("gives a partial submission the points of what it solves", () => expectPoints("partial", 4, /Exercise 3: .*not solved yet/));

  it("puts tampered tests back, and they fail", () =>
    expectPoints("tampered", 0, /"epsilon-hat-test" had been changed and was put back/));

  it("puts deleted tests and a deleted setup back, and right solutions pass", () =>
    expectPoints("deleted", 11, /"setup" had been deleted and was put back.*"m-sam-test" had been deleted/));

  it("stops an endless loop, and gives the points of the other exercises", () =>
    expectPoints("endless-loop", 8, /Exercise 5: This test computed longer than 5 s/));

  it("believes no verdict that student code prints, patches or ends with", () =>
    expectPoints(
      "forged",
      0,
      /Cell 1 of the notebook (ended its own process|broke its connection to the grader).*Exercise 1: .*not solved yet/,
    ));

  it("gives an empty file no points, and says that it is empty", () => expectPoints("empty", 0, /assignment-1.ipynb is empty/));

  it("loses only the exercise that has a syntax error, and says where it is", () =>
    expectPoints("syntax-error", 8, /"m-sam" did not run: line 2: Expression expected/));

  it("names the files that were handed in for the wrong one", () =>
    expectPoints("wrong-file", 0, /no assignment-1.ipynb; the folder holds homework.txt/));

  it("marks a late submission, whose points stay", () => {
    expectPoints("late", 11);
    assert.deepEqual(
      [...results.values()].filter(({ late }) => late).map(({ student }) => student),
      ["late"],
    );
  });

  describe("with confined processes", () => {
    before(function () {
      if (!sandbox.confined) this.skip();
    });

    it("stops a memory bomb, and gives the points of the other exercises", () =>
      expectPoints("memory-bomb", 8, /Exercise 5: This test used more than the 1200 MiB of memory/));

    it("shows no file of the folders above, of other submissions or of users", () => {
      expectPoints("parent-folder", 0, /Exercise 1: .*found .*(ENOENT|EACCES)/);
      assert.doesNotMatch(reasonOf(results.get("parent-folder")!), /perfect|handed-in/);
    });

    it("shows neither the solutions nor the grader's environment", () =>
      expectPoints("solutions", 0, /found Error: ENOENT.*undefined/));

    it("stops a fork bomb with all of its processes, and gives the points of the other exercises", () => {
      expectPoints("fork-bomb", 8, /Exercise 5: This test (started more than|computed longer|made its process end|ended)/);
      const running = fs.readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && commandLine(pid).includes(marker));
      assert.deepEqual(running, []);
    });
  });

  it("writes one line and one page for each student, and a summary with a figure", () => {
    const csv = fs.readFileSync(path.join(output, "grades.csv"), "utf8");

    assert.equal(csv.trim().split("\n").length, 1 + results.size);
    assert.match(csv, /^student,total,most,unread,submitted,late,Exercise 1,/);
    assert.deepEqual(fs.readdirSync(path.join(output, "feedback")).length, results.size);
    assert.match(fs.readFileSync(path.join(output, "summary.md"), "utf8"), new RegExp(`${results.size} submissions, 1 late`));
    assert.ok(fs.existsSync(path.join(output, "summary.svg")));
  });
});

function commandLine(pid: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
