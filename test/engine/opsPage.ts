/** `npm run docs:ops`: writes src/engine/SECOND-ORDER.md from the list of ops that the tests go through. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { toMarkdown } from "../../src/tables";
import { exactOps, refusedOps } from "./opCases";

export const opsPageFile = path.join(__dirname, "../../src/engine/SECOND-ORDER.md");

const INTRODUCTION = `# Derivatives, op by op

Written by \`npm run docs:ops\` from \`test/engine/opCases.ts\`. Do not edit.

Stock TensorFlow.js loses terms of second derivatives, and some of its first derivatives are wrong too. This kit repairs both. In the
table, **exact** means that the gradient and the Hessian-vector product agree with PyTorch's in float64, to 2e-5 of their norm. Every
other op gives an error that names it. We know of no op that gives a wrong number.

\`test/engine/secondOrder.test.ts\` checks each line on each engine named. An op y is tested in the loss ½Σ w·y², whose Hessian contains
both y′ and y″. All inputs are differentiated. \`test/engine/torchOps.py\` computes the truth. Functions that are composed of exact ops
are exact too.

- **exact**: first and second derivatives.
- **first only**: the gradient is exact, and a second derivative is an error.
- **refused**: a gradient of any order is an error.

Limits on all engines:

- \`dimRoundingMode: "round"\` or \`"ceil"\` and \`depthwiseConv2d\` in \`"NCHW"\` are errors, because TensorFlow.js computes them wrongly.
- Derivatives of floor, ceil, round, sign, step, floorDiv, comparisons, and casts to int32 or bool are zero.
- Where several values tie for a maximum or minimum of \`tf.max\` or \`tf.min\`, they share the gradient equally, as in PyTorch.
- At a kink the slope is one of the two one-sided slopes, or 0 for \`abs\`.

native: TensorFlow through tfjs-node; wasm: WebAssembly; cpu: plain JavaScript.
`;

const columns = { op: "op", derivatives: "derivatives", engines: "engines" };

/** The page as the list of ops has it. */
export function opsPage(): string {
  const rows = [
    ...exactOps().map(({ op, engines }) => ({ op, derivatives: "exact", engines: engines.join(", ") })),
    ...refusedOps().map(({ op, refuses, engines }) => {
      return { op, derivatives: refuses === "first" ? "refused" : "first only", engines: engines.join(", ") };
    }),
  ];
  return `${INTRODUCTION}\n${toMarkdown(rows, { columns }).trim()}\n`;
}

if (require.main === module) writeFileSync(opsPageFile, opsPage());
