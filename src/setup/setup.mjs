/** From a fresh clone to a running kit: each missing thing is made, each step says so in one line (`npm run setup`). */
import { bindingStep } from "./binding.mjs";
import { buildStep } from "./build.mjs";
import { fashionMnistStep } from "./fashionMnist.mjs";
import { projectRoot } from "./files.mjs";
import { kernelStep } from "./kernel.mjs";
import { packagesStep } from "./packages.mjs";
import { jupyterStep, tensorflowStep } from "./python.mjs";
import { Stopped } from "./shell.mjs";
import { runSteps, StepFailure } from "./steps.mjs";

const oldestNode = 20;

/**
 * Makes what is missing. Quiet where all is there, unless `verbose`.
 * @param build also compile the library into dist/
 */
export async function setUp({ root = projectRoot, build = true, ...options } = {}) {
  checkNode(process.versions.node);
  const make = [packagesStep, jupyterStep, tensorflowStep, bindingStep, kernelStep, fashionMnistStep];
  return runSteps(
    [...make, ...(build ? [buildStep] : [])].map((step) => step(root)),
    { root, ...options },
  );
}

export function checkNode(version) {
  if (Number(version.split(".")[0]) >= oldestNode) return;
  throw new StepFailure(`Node ${version} is too old: the kit needs Node ${oldestNode} or newer (https://nodejs.org).`);
}

/** Runs a script's main function: an expected failure is one line, without a stack. */
export async function main(body) {
  try {
    process.exitCode = (await body()) ?? 0;
  } catch (error) {
    // A fatal step has printed its own line.
    if (!error.fatal || error instanceof Stopped) process.stderr.write(`${describe(error)}\n`);
    process.exitCode = error.exitCode ?? 1;
  }
}

function describe(error) {
  if (error instanceof StepFailure || error instanceof Stopped) return error.message;
  return error.code ? `${error.message}${adviceOn(error)}` : error.stack;
}

/** What to do where the project's folder cannot be written; "" for other errors. */
export function adviceOn({ code }, root = projectRoot) {
  if (!["EACCES", "EPERM", "EROFS"].includes(code)) return "";
  return (
    `\nThis user may not write here. Copy the kit to a folder of your own (cp -r ${root} ~/sharpness-lab) and start it there,` +
    "\nor let the owner run `npm run setup`: with everything set up, others can use the kit, but keep no new results in it."
  );
}
