/** `npm run setup`: turns a fresh clone into a running kit. */
import { bindingStep } from "./binding.mjs";
import { buildStep } from "./build.mjs";
import { fashionMnistStep } from "./fashionMnist.mjs";
import { projectRoot } from "./files.mjs";
import { kernelStep } from "./kernel.mjs";
import { linkStep } from "./link.mjs";
import { packagesStep } from "./packages.mjs";
import { jupyterStep, tensorflowStep } from "./python.mjs";
import { Stopped } from "./shell.mjs";
import { runSteps, StepFailure } from "./steps.mjs";

const oldestNode = 20;

/**
 * Makes whatever is missing. Prints nothing if all is there, unless `verbose`.
 * @param build also compile the library into dist/
 * @param engine also install the native engine, Jupyter and Fashion-MNIST, which commands that run nothing do not need
 */
export async function setUp({ root = projectRoot, build = true, engine = true, ...options } = {}) {
  checkNode(process.versions.node);
  return runSteps(steps(root, { build, engine }), { root, ...options });
}

/** Names of the steps that have something to do. Only the packages where those are missing: the others look into them. */
export function missingSteps(root = projectRoot) {
  checkNode(process.versions.node);
  const [packages, ...others] = steps(root, { build: true, engine: true });
  const missing = (list) => list.filter((step) => step.there() === undefined).map(({ name }) => name);
  return packages.there() === undefined ? [packages.name] : missing(others);
}

function steps(root, { build, engine }) {
  const forEngine = [jupyterStep, tensorflowStep, bindingStep, kernelStep, fashionMnistStep];
  const make = [packagesStep, linkStep, ...(engine ? forEngine : []), ...(build ? [buildStep] : [])];
  return make.map((step) => step(root));
}

export function checkNode(version) {
  if (Number(version.split(".")[0]) >= oldestNode) return;
  throw new StepFailure(`Node ${version} is too old: the kit needs Node ${oldestNode} or newer (https://nodejs.org).`);
}

/** Exit code of a command that may not write a file (sysexits.h: EX_NOPERM). */
const noPermission = 77;

/** Runs a script's main function: an expected failure is one line, without a stack. */
export async function main(body, root = projectRoot) {
  try {
    process.exitCode = (await body()) ?? 0;
  } catch (error) {
    // A fatal step has printed its own line.
    if (!error.fatal || error instanceof Stopped) process.stderr.write(`${describe(error)}\n`);
    process.exitCode = mayNotWrite.includes(error.code) ? noPermission : (error.exitCode ?? 1);
  }
  if (process.exitCode === noPermission) process.stderr.write(adviceForOtherUsers(root));
}

const mayNotWrite = ["EACCES", "EPERM", "EROFS"];

function describe(error) {
  const expected = error instanceof StepFailure || error instanceof Stopped || error.code;
  return expected ? error.message : error.stack;
}

function adviceForOtherUsers(root) {
  return (
    `This user may not write here. Copy the kit to a folder of your own (cp -r ${root} ~/sharpness-lab) and start it there,\n` +
    "or let the owner run `npm run setup`: others can then open the kit and print its results, but keep no new ones in it.\n"
  );
}
