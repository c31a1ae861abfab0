/** From a fresh clone to a running kit: each missing thing is made, each step says so in one line (`npm run setup`). */
import { bindingStep } from "./binding.mjs";
import { buildStep } from "./build.mjs";
import { fashionMnistStep } from "./fashionMnist.mjs";
import { projectRoot } from "./files.mjs";
import { kernelStep } from "./kernel.mjs";
import { packagesStep } from "./packages.mjs";
import { jupyterStep, tensorflowStep } from "./python.mjs";
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
    if (!error.fatal) process.stderr.write(`${error.code || error instanceof StepFailure ? error.message : error.stack}\n`);
    process.exitCode = 1;
  }
}
