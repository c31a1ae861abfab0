/** Prints the labels of runs with human label noise on the CIFAR-10 in this project's data/cache; arguments: configs as JSON. */
import { createRequire } from "node:module";
import path from "node:path";
import type * as config from "../../src/experiments/config";
import type * as run from "../../src/experiments/run";

// A copy of the project has its own sources and cache: it is the folder that this runs in.
const load = createRequire(path.resolve("package.json"));
const { runConfig } = load("./src/experiments/config.ts") as typeof config;
const { runData } = load("./src/experiments/run.ts") as typeof run;

async function main(): Promise<void> {
  for (const json of process.argv.slice(2)) {
    const { train, test, cleanLabels } = await runData(runConfig(JSON.parse(json)));
    console.log(JSON.stringify({ noisy: [...train.labels], clean: [...cleanLabels!], heldOut: [...test.labels] }));
  }
}

void main();
