/** PyTorch as a contender: test/bench/torchBench.py, kept running, asked line by line in JSON. */
import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { createInterface, type Interface } from "node:readline";
import type { tf, Weights } from "../../engine";
import { projectRoot } from "../../data/files";
import type { Contender } from "./contenders";
import type { Workload } from "./workload";

/** The first Python that has torch: SHARPNESS_PYTHON if it is set, else .venv's, else the one on PATH. */
export function findTorchPython(root = projectRoot()): string | undefined {
  const set = process.env.SHARPNESS_PYTHON;
  const candidates = set ? [set] : [path.join(root, ".venv/bin/python"), "python3"].filter(canBeThere);
  return candidates.find((python) => spawnSync(python, ["-c", HAS_TORCH]).status === 0);
}

// Looked for, not imported: that takes seconds, and is done once, by the process that stays.
const HAS_TORCH = "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is None)";

function canBeThere(python: string): boolean {
  return !python.includes(path.sep) || existsSync(python);
}

/** What PyTorch answers to `trace`: the same steps as ours, number by number. */
export interface TorchTrace {
  /** (steps, 2) mean batch loss at w and at w + ε̂ */
  readonly losses: [number, number][];
  /** ⟨w, Hw⟩ at the initial weights, in inference mode */
  readonly curvature: number;
}

export interface TorchInfo {
  readonly version: string;
  readonly threads: number;
}

export class TorchProcess {
  private readonly process: ChildProcessWithoutNullStreams;
  private readonly lines: Interface;
  private readonly waiting: { resolve(answer: unknown): void; reject(error: Error): void }[] = [];
  private lastWords = "";

  constructor(python: string, threads: number, root = projectRoot()) {
    const env = { ...process.env, OMP_NUM_THREADS: String(threads), MKL_NUM_THREADS: String(threads) };
    this.process = spawn(python, [path.join(root, "test/bench/torchBench.py")], { env });
    this.lines = createInterface({ input: this.process.stdout });
    this.lines.on("line", (line) => this.waiting.shift()?.resolve(JSON.parse(line)));
    this.process.stderr.on("data", (text) => (this.lastWords = (this.lastWords + text).slice(-2000)));
    this.process.stdin.on("error", () => undefined); // Its end is reported below.
    this.process.on("error", (error) => this.fail(error.message));
    this.process.on("close", (code) => this.fail(this.lastWords.trim().split("\n").at(-1) || `exit code ${code}`));
  }

  private fail(reason: string): void {
    for (const { reject } of this.waiting.splice(0)) reject(new Error(`PyTorch's benchmark ended: ${reason}`));
  }

  ask<T>(request: object): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.waiting.push({ resolve: resolve as (answer: unknown) => void, reject });
      this.process.stdin.write(`${JSON.stringify(request)}\n`);
    });
  }

  /** Sends weights and batch; everything else starts with it. */
  setUp({ initial, batch, sam, spec: network }: Workload, threads: number): Promise<TorchInfo> {
    const { learningRate, momentum, weightDecay, clipNorm, rho } = sam;
    const settings = { learningRate, momentum, weightDecay, clipNorm, rho, threads };
    const { images, targets } = batch;
    return this.ask({
      task: "setUp",
      settings,
      weights: encodeAll(initial.weights),
      batch: encodeAll({ images, targets }),
      network,
    });
  }

  async time(task: string, count: number): Promise<number[]> {
    return (await this.cost(task, count)).ms;
  }

  /** Milliseconds of each execution, and of processor time. */
  cost(task: string, count: number): Promise<{ ms: number[]; cpu: number[] }> {
    return this.ask({ task, count });
  }

  /** Losses of `steps` steps from the initial weights, in TensorFlow's padding; for a check, as it is slower. */
  trace(steps: number, rho: number): Promise<TorchTrace> {
    return this.ask({ task: "trace", steps, rho });
  }

  /** Ends Python, which waits for the next line. */
  stop(): void {
    this.process.stdin.end();
  }
}

export function torchContender(torch: TorchProcess): Contender {
  return {
    name: "torch",
    tasks: {
      sgdStep: (count) => torch.time("sgdStep", count),
      samStep: (count) => torch.time("samStep", count),
      hvp: (count) => torch.time("hvp", count),
    },
    dispose: () => torch.stop(),
  };
}

interface Encoded {
  readonly shape: number[];
  /** little-endian float32 in base64 */
  readonly data: string;
}

function encodeAll(tensors: Weights): Record<string, Encoded> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, encode(tensor)]));
}

function encode(tensor: tf.Tensor): Encoded {
  const { buffer, byteOffset, byteLength } = tensor.dataSync() as Float32Array;
  return { shape: tensor.shape, data: Buffer.from(buffer, byteOffset, byteLength).toString("base64") };
}
