/**
 * A training that is started as tslab starts a cell's code, in a vm that breaks on SIGINT; it prints each step, and in the end its outcome.
 * With the argument "run", `runOne` starts it.
 */
import vm from "node:vm";
import { runOne } from "../../src/experiments/run";
import { train, type TrainCallbacks } from "../../src/training";
import { noisyImages, tinyMlp } from "./trainings";

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const callbacks: TrainCallbacks = { onStep: ({ step }) => say(`step ${step}`) };

async function training(): Promise<void> {
  const { outcome } = await train(tinyMlp(), noisyImages(), { epochs: 100_000, batchSize: 8 }, callbacks);
  say(outcome);
}

async function run(): Promise<void> {
  const dataset = { name: "generated", trainSize: 40, testSize: 40 } as const;
  const config = { dataset, model: { name: "mlp" }, training: { epochs: 100_000, batchSize: 8 } } as const;
  await runOne(config, callbacks).catch((error: Error) => say(error.name));
}

// As tslab does, whose own handler keeps the process alive.
process.on("SIGINT", () => say("interrupt seen"));
Object.assign(globalThis, { cell: process.argv[2] === "run" ? run : training });
void (async () => {
  await undefined;
  const ended = vm.runInThisContext("(async () => { await cell(); })()", { breakOnSigint: true }) as Promise<void>;
  await ended;
  say(`${process.listenerCount("SIGINT")} handler left`);
  process.exit(0);
})();
