/** One page for each student: points, what failed and why. Everything in it is escaped, since students wrote parts of it. */
import { escapeHtml } from "../tables/html";
import type { Assignment } from "./assignment";
import type { ExerciseResult, GradedPart, StudentResult } from "./results";

/** A page that opens from the file system and loads nothing. */
export function feedbackPage({ title }: Assignment, result: StudentResult): string {
  const { student, problem, notes, exercises } = result;
  const remarks = [...(problem ? [problem] : []), ...notes];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(`${title}: ${student}`)}</title>
<style>${style}</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
<p class="total">${escapeHtml(student)}: <strong>${result.points} of ${result.most} points</strong>${escapeHtml(lateness(result))}</p>
${list(remarks, "remarks")}
${problem ? "" : exercises.map(exerciseSection).join("\n")}
</body>
</html>
`;
}

const style =
  "body{font-family:Inter,Helvetica,Arial,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;line-height:1.5;color:#222;background:#fff}" +
  "h1{font-size:1.5rem}h2{font-size:1.1rem;margin:1.6rem 0 .3rem}.points{color:#767676;font-weight:400}.total{font-size:1.1rem}" +
  "ul{margin:.3rem 0}li{overflow-wrap:anywhere}.ok{color:#00724f}.no{color:#a13e00}" +
  "blockquote{white-space:pre-wrap;overflow-wrap:anywhere;border-left:3px solid #d9d9d9;margin:.5rem 0;padding-left:.8rem;color:#555}";

function lateness({ late, submitted, unread }: StudentResult): string {
  const time = late ? `, handed in late (${localTime(submitted!)})` : "";
  return time + (unread > 0 ? `. ${unread === 1 ? "One written answer is" : `${unread} written answers are`} not read yet` : "");
}

/** Minutes of the local clock: 2026-12-01 17:30. */
export function localTime(date: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

function list(sentences: readonly string[], kind: string): string {
  if (sentences.length === 0) return "";
  return `<ul class="${kind}">${sentences.map((each) => `<li>${escapeHtml(each)}</li>`).join("")}</ul>`;
}

function exerciseSection({ title, points, most, parts }: ExerciseResult): string {
  const head = `<h2>${escapeHtml(title)} <span class="points">${points} of ${most}</span></h2>`;
  return [head, ...parts.map(partText)].join("\n");
}

function partText({ cell, points, reasons, answer }: GradedPart): string {
  const quote = answer === undefined ? "" : `<blockquote>${escapeHtml(answer)}</blockquote>`;
  if (reasons.length > 0 && !points) return `<p class="no">Not yet:</p>${list(reasons, "no")}`;
  if (cell.role === "answer")
    return `<p>${points === undefined ? "Your answer is still to be read." : `Your answer: ${points} of ${cell.points}.`}</p>${quote}`;
  if (points === cell.points) return '<p class="ok">All tests pass.</p>';
  return '<p class="no">No points.</p>';
}
