import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { collectSubmissions } from "../../src/classroom/collect";
import { feedbackPage } from "../../src/classroom/feedback";
import type { GradedNotebook } from "../../src/classroom/grade";
import { manualCsv, parseCsv, readManualPoints } from "../../src/classroom/manual";
import { gradesCsv } from "../../src/classroom/report";
import { studentResult } from "../../src/classroom/results";
import { shortAssignment, submission } from "./support";

const assignment = shortAssignment();
const notebook = JSON.stringify(submission(assignment, {}));

/** All tests passed but the first, with the given answer. */
function graded(answer: string): GradedNotebook {
  const cells = assignment.cells.filter(({ role }) => role === "test" || role === "answer");
  return {
    graded: cells.map((cell, i) => ({
      cell,
      points: cell.role === "answer" ? undefined : i === 0 ? 0 : cell.points,
      reasons: i === 0 ? ["<b>no</b>."] : [],
    })),
    ...{ problems: [], notes: [], answers: { "m-question": answer } },
  };
}

describe("submissions in a folder", () => {
  let folder: string;
  const write = (name: string, text: string) => {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), text);
  };
  const collected = () => collectSubmissions(folder, "assignment-1");
  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), "handed-in-"))));
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  it("are found in a student's folder and one level below", () => {
    write("anna/assignment-1.ipynb", notebook);
    write("ben/assignment-1/assignment-1.ipynb", notebook);

    assert.deepEqual(
      collected().map((each) => [each.student, each.problem]),
      [
        ["anna", undefined],
        ["ben", undefined],
      ],
    );
  });

  it("were handed in when their folder's name says, else when the file was last changed", () => {
    write("anna@2026-12-01T17-30/assignment-1.ipynb", notebook);
    write("ben/assignment-1.ipynb", notebook);
    fs.utimesSync(path.join(folder, "ben/assignment-1.ipynb"), new Date("2026-11-30T12:00"), new Date("2026-11-30T12:00"));

    assert.deepEqual(
      collected().map(({ submitted }) => submitted),
      [new Date("2026-12-01T17:30"), new Date("2026-11-30T12:00")],
    );
  });

  it("of one student count once, the latest", () => {
    write("anna@2026-12-01T17-30/assignment-1.ipynb", "first");
    write("anna@2026-12-02/assignment-1.ipynb", notebook);

    assert.deepEqual(
      collected().map(({ student, problem }) => [student, problem]),
      [["anna", undefined]],
    );
  });

  it("that are links, no JSON or other notebooks are named as such", () => {
    write("ben/assignment-1.ipynb", "{");
    write("cleo/assignment-1.ipynb", '{"cells": 3}');
    fs.mkdirSync(path.join(folder, "anna"));
    fs.symlinkSync("../ben/assignment-1.ipynb", path.join(folder, "anna/assignment-1.ipynb"));

    const [anna, ben, cleo] = collected().map(({ problem }) => problem);

    assert.match(anna!, /is a link/);
    assert.match(ben!, /is no JSON/);
    assert.match(cleo!, /is no notebook/);
  });

  it("that are missing raise an error that shows the layout", () => {
    assert.throws(collected, /expected one for each student, such as .*anna\/assignment-1.ipynb/);
  });
});

describe("points given by hand", () => {
  it("come from manual.csv, and stay in it", () => {
    const points = readManualPoints("student,m-question\nanna,1.5\nben,\n", assignment);

    assert.equal(points.get("anna")!["m-question"], 1.5);
    assert.equal(manualCsv(["ben", "anna", "cleo"], assignment, points), "student,m-question\nanna,1.5\nben,\ncleo,\n");
  });

  it("count in the total, and the answer is no longer unread", () => {
    const before = studentResult(assignment, graded("words"), { student: "anna" });
    const after = studentResult(assignment, graded("words"), { student: "anna", manual: { "m-question": 1.5 } });

    assert.deepEqual([before.points, before.unread], [9, 1]);
    assert.deepEqual([after.points, after.unread], [10.5, 0]);
  });

  it("outside of their range, or for a cell that is no answer, raise an error that names the place", () => {
    assert.throws(
      () => readManualPoints("student,m-question\nanna,3\n", assignment),
      /line 2, m-question: expected points from 0 to 2, got "3"/,
    );
    assert.throws(() => readManualPoints("student,orbit\nanna,1\n", assignment), /"orbit" is no written answer/);
  });

  it("are read with quotes, with semicolons and with Windows line ends", () => {
    assert.deepEqual(parseCsv('student,a\n"Li, ""Anna""",1\n'), [
      ["student", "a"],
      ['Li, "Anna"', "1"],
    ]);
    assert.deepEqual(parseCsv("student;a\r\nanna;1,5\r\n"), [
      ["student", "a"],
      ["anna", "1,5"],
    ]);
  });
});

describe("reports", () => {
  it("escape what students wrote", () => {
    const page = feedbackPage(assignment, studentResult(assignment, graded("<script>alert(1)</script>"), { student: "<anna>" }));

    assert.doesNotMatch(page, /<script|<anna|<b>no/);
    assert.match(page, /&lt;script&gt;/);
  });

  it("give a submission that cannot be graded no points and its reason", () => {
    const result = studentResult(assignment, { problem: "assignment-1.ipynb is empty." }, { student: "anna" });

    assert.match(gradesCsv([result]), /^anna,0,13,0,,,0,0,0,0,0,0,assignment-1.ipynb is empty.$/m);
  });

  it("keep a spreadsheet from taking a name for a formula", () => {
    const result = studentResult(assignment, { problem: "none" }, { student: "=1+1" });

    assert.match(gradesCsv([result]), /^'=1\+1,/m);
  });
});
