/**
 * A finetuning run that kills itself: `killableRun.ts CONFIG WEIGHTS CHECKPOINT WHEN`, where WHEN is "pretraining" (as soon as the
 * pretraining has a checkpoint), the step of the finetuning after which it dies, or "never": it prints its record then.
 */
import fs from "node:fs";
import { runRecord } from "../../src/experiments/run";
import type { RunOptions } from "../../src/experiments/config";

const [config, weightsFolder, checkpoint, when] = process.argv.slice(2) as [string, string, string, string];
const die = () => process.kill(process.pid, "SIGKILL");
if (when === "pretraining") setInterval(() => fs.existsSync(`${checkpoint}.pretraining`) && die(), 1);
const onStep = ({ step }: { step: number }) => void (String(step) === when && die());

void runRecord(JSON.parse(config) as RunOptions, { weightsFolder, checkpoint, checkpointEvery: 1, onStep }).then((record) =>
  process.stdout.write(`${JSON.stringify(record)}\n`),
);
