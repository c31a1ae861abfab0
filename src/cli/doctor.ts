/** `npm run doctor`: what this machine computes with, what is there and what is missing, a timed training step, what to do next. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { loadFashionMnist } from "../data";
import { projectRoot } from "../data/files";
import { ready, type EngineInfo } from "../engine";
import { runCommand } from "./command";
import { findJupyter } from "./notebookRunner";
import { medianStepTime, yardstick } from "./yardstick";

/** One line of the diagnosis, and what would cure it where something is missing. */
interface Finding {
  readonly about: string;
  readonly text: string;
  readonly cure?: string;
}

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

runCommand(main);
