/**
 * Leaks of tensors, descriptors and listeners: each piece of work many times in one process. npx tsx test/attack/leaks.ts [rounds]
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import * as lab from "../../src";
import { tinyImages } from "../support/training";
import { countFrom, finish, type Outcome } from "./report";

const model = lab.convNet({ inputShape: [8, 8, 1], numClasses: 3, widths: [4] });
const data = { train: tinyImages(40, "train"), test: tinyImages(20, "test") };
const smallRun: lab.RunOptions = {
  dataset: { name: "generated", trainSize: 64, testSize: 20 },
  model: { name: "mlp", hidden: [8] },
  training: { epochs: 1, batchSize: 32, rho: 0.1 },
};

async function trainAndDispose(options: lab.TrainOptions): Promise<void> {
  const { variables } = await lab.train(model, data, options);
  lab.disposeVariables(variables);
}

async function curvature(): Promise<void> {
  const variables = model.init(new lab.Rng(0));
  const operator = lab.hessianOperator({ model, ...variables }, data.train);
  await lab.lanczos(operator, { k: 2, lanczosSteps: 5 });
  lab.disposeVariables(variables);
}

/** An archive that cannot be read: the descriptor must be closed all the same. */
async function damagedArchive(): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "leaks-"));
  try {
    const file = path.join(folder, "damaged.tar.gz");
    fs.writeFileSync(file, gzipSync(Buffer.alloc(5000, 9)).subarray(0, 30));
    await lab.data.extractArchive(file, path.join(folder, "out")).catch(() => undefined);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

const work: Readonly<Record<string, () => Promise<unknown>>> = {
  "a training with SAM": () => trainAndDispose({ epochs: 1, batchSize: 8, rho: 0.1, m: 4 }),
  "a training of two networks": () =>
    trainAndDispose({ epochs: 1, batchSize: 8, method: { name: "coTeaching", forgetRate: 0.2 } }),
  "a training that fails": () => lab.train(model, data, { epochs: 1, batchSize: 4000 }).catch(() => undefined),
  "a stopped training": () => {
    const stop = new AbortController();
    const callbacks = { signal: stop.signal, onStep: () => stop.abort() };
    return lab
      .train(model, data, { epochs: 1, batchSize: 8 }, callbacks)
      .then(({ variables }) => lab.disposeVariables(variables));
  },
  "a run": () => lab.runOne(smallRun).then(({ variables }) => lab.disposeVariables(variables)),
  "eigenvalues of the Hessian": curvature,
  "a damaged archive": damagedArchive,
};

interface Counts {
  readonly tensors: number;
  readonly descriptors: number;
  readonly listeners: number;
}

function counts(): Counts {
  const descriptors = fs.existsSync("/proc/self/fd") ? fs.readdirSync("/proc/self/fd").length : 0;
  const listeners = process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
  return { tensors: lab.tf.memory().numTensors, descriptors, listeners };
}

async function leaksOf(name: string, rounds: number): Promise<Outcome> {
  const act = work[name]!;
  // The first time may load and keep things once and for all.
  for (let i = 0; i < 2; i++) await act();
  await settled();
  const before = counts();
  for (let i = 0; i < rounds; i++) await act();
  await settled();
  const after = counts();
  const grown = (["tensors", "descriptors", "listeners"] as const).filter((kind) => after[kind] > before[kind]);
  const example = grown.map((kind) => `${before[kind]} → ${after[kind]} ${kind}`).join(", ");
  return { attack: name, tries: rounds, failures: grown.length, example };
}

/** Worker threads and streams end a moment after the work that used them. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 500));
}

async function main(rounds: number): Promise<void> {
  await lab.ready();
  const outcomes: Outcome[] = [];
  for (const name of Object.keys(work)) outcomes.push(await leaksOf(name, rounds));
  finish(outcomes);
}

void main(countFrom(process.argv[2], 20));
