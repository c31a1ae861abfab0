/** `npm run doctor`: what this machine computes with, what is there and what is missing, a timed training step, what to do next. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { loadFashionMnist } from "../data";
import { projectRoot } from "../data/files";
import { ready, Rng, tf, type EngineInfo } from "../engine";
import { crossEntropy } from "../losses";
import { wideResNet } from "../models";
import {
  disposeState,
  initialState,
  trainConfig,
  trainStep,
  type StepBatch,
  type StepContext,
  type TrainState,
} from "../training";
import { findJupyter } from "./notebookRunner";

/** One line of the diagnosis, and what would cure it where something is missing. */
interface Finding {
  readonly about: string;
  readonly text: string;
  readonly cure?: string;
}

// The issue's yardstick: small enough for a slow engine, convolutions and batch norm in it.
const yardstick = "WRN-10-2, 28×28×1, batch 128";
const timedSteps = 5;
const patience = 5_000; // ms: a slow engine shows itself in fewer steps

async function main(): Promise<void> {
  const engine = await ready();
  const findings = [machine(), engineFinding(engine), await dataFinding(), ...notebookFindings(), stepFinding(engine)];
  for (const { about, text } of findings) console.log(`${about.padEnd(14)} ${text}`);
  const cures = findings.flatMap(({ cure }) => cure ?? []);
  console.log(`${"next".padEnd(14)} ${[...cures, ...(cures.length > 0 ? [] : nextSteps)].join("\n" + " ".repeat(15))}`);
}

const nextSteps = [
  "npm start                          the demo: a table of the paper beside your own run",
  "npm run lab                        the notebooks",
  "npm run reproduce -- --help        any table or figure, at any budget",
];

function machine(): Finding {
  const memory = `${Math.round(os.totalmem() / 2 ** 30)} GiB`;
  const text = `Node ${process.versions.node} on ${os.platform()} ${os.arch()}, ${os.availableParallelism()} cores, ${memory}`;
  return { about: "machine", text };
}

function engineFinding(engine: EngineInfo): Finding {
  const { backend, version, devices, threads, note } = engine;
  const name = backend === "native" ? `TensorFlow ${version}` : `TensorFlow.js ${version} (${backend})`;
  const text = `${name} on ${devices.join(", ")}, ${threads} thread${threads === 1 ? "" : "s"}${note ? `. ${note}` : ""}`;
  return { about: "engine", text, ...engineCure(engine) };
}

function engineCure({ backend, gpu }: EngineInfo): { cure?: string } {
  if (process.env.SHARPNESS_BACKEND) return {};
  if (backend !== "native") return { cure: "npm run setup   says why the native engine, the fastest, is not there" };
  if (gpu || !hasNvidiaDriver()) return {};
  return { cure: "rm -r .venv && npm run setup   installs TensorFlow for the NVIDIA GPU, which is idle" };
}

function hasNvidiaDriver(): boolean {
  return spawnSync("nvidia-smi", ["-L"], { encoding: "utf8" }).stdout?.includes("GPU ") ?? false;
}

async function dataFinding(): Promise<Finding> {
  try {
    const { size } = await loadFashionMnist({ split: "train" });
    return { about: "Fashion-MNIST", text: `${size} training images, SHA-256 as published` };
  } catch (error) {
    return { about: "Fashion-MNIST", text: (error as Error).message, cure: "npm run setup   fetches Fashion-MNIST" };
  }
}

function notebookFindings(): Finding[] {
  const jupyter = findJupyter();
  const kernel = path.join(projectRoot(), ".venv/share/jupyter/kernels/tslab/kernel.json");
  const cure = { cure: "npm run setup   installs JupyterLab and the tslab kernel" };
  return [
    { about: "Jupyter", text: jupyter ?? "missing", ...(!jupyter && cure) },
    { about: "tslab kernel", text: describeKernel(kernel), ...(!existsSync(kernel) && cure) },
  ];
}

function describeKernel(file: string): string {
  if (!existsSync(file)) return "missing";
  const { argv } = JSON.parse(readFileSync(file, "utf8")) as { argv: string[] };
  const gone = argv.slice(0, 2).filter((each) => !existsSync(each));
  return gone.length > 0 ? `starts ${gone.join(" and ")}, which is not there` : argv.slice(0, 2).join(" ");
}

function stepFinding({ backend }: EngineInfo): Finding {
  if (backend === "cpu") return { about: "training step", text: "not timed: plain JavaScript takes minutes for one" };
  const [sgd, sam] = [0, 0.05].map(medianStepTime);
  return { about: "training step", text: `${yardstick}: SGD ${sgd!.toFixed(0)} ms, SAM ${sam!.toFixed(0)} ms` };
}

/** Milliseconds of a training step, after one that warms up. */
function medianStepTime(rho: number): number {
  const rng = new Rng(0);
  const model = wideResNet({ depth: 10, widenFactor: 2, numClasses: 10, inputShape: [28, 28, 1] });
  const config = trainConfig({ epochs: 1, rho });
  const batch = yardstickBatch(rng);
  const times = stepTimes(initialState(model, config, rng), batch, {
    model,
    config,
    loss: crossEntropy,
    totalSteps: timedSteps + 1,
    rng,
  });
  tf.dispose([batch.images, batch.targets]);
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
}

/** Milliseconds of each of some steps, the first left out. Disposes of the state. */
function stepTimes(state: TrainState, batch: StepBatch, context: StepContext): number[] {
  const times: number[] = [];
  const started = performance.now();
  while (times.length < 2 || (times.length <= timedSteps && performance.now() - started < patience)) {
    const start = performance.now();
    const { state: next } = trainStep(state, batch, context);
    times.push(performance.now() - start);
    disposeState(state);
    state = next;
  }
  disposeState(state);
  return times.slice(1);
}

// Noise trains as slowly as clothes do.
function yardstickBatch(rng: Rng): StepBatch {
  const images = tf.tensor4d(rng.split("images").array(128 * 28 * 28), [128, 28, 28, 1]);
  const labels = Array.from({ length: 128 }, (_, i) => i % 10);
  const targets = tf.tidy(() => tf.oneHot(tf.tensor1d(labels, "int32"), 10).toFloat()) as tf.Tensor2D;
  return { images, targets };
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
