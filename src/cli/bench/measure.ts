/** Times the contenders in turns, round after round, so that a machine that grows slower meanwhile is so for all of them. */
import { setTimeout as pause } from "node:timers/promises";
import { ready, type EngineInfo } from "../../engine";
import { ourContender, stockContender, type Contender, type InputTimes, type TaskName } from "./contenders";
import { inputContenders } from "./inputPipeline";
import { compareLambdaMax, type LambdaMaxComparison } from "./lambdaMax";
import { findTorchPython, torchContender, TorchProcess } from "./torch";
import { makeWorkload } from "./workload";

export interface BenchOptions {
  /** Turns of each contender at each task. */
  readonly rounds: number;
  /** Images for λmax; default 128. */
  readonly numImages?: number;
  /** Small batches and few products, so that tests run the whole path in seconds; the times mean nothing. */
  readonly quick?: boolean;
  /** Told what cannot be measured here, and what is running now. */
  readonly onNote?: (note: string) => void;
}

/** Milliseconds: medians over rounds of the median in a round; null where it cannot be measured. */
export interface StepTimes {
  readonly ours: number | null;
  readonly stock: number | null;
  readonly torch: number | null;
}

export interface BenchResult {
  readonly sgdStep: StepTimes;
  readonly samStep: StepTimes;
  readonly hvp: {
    readonly ours: number | null;
    readonly torch: number | null;
    /** Our gradient of the same loss, with batch norm in inference mode. */
    readonly gradient: number | null;
  };
  readonly inputPipeline: InputTimes;
  readonly lambdaMax: LambdaMaxComparison | null;
  readonly threads: number;
  readonly engine: string;
}

export interface BenchReport {
  readonly result: BenchResult;
  readonly about: BenchDescription;
}

export interface BenchDescription {
  readonly batchSize: number;
  /** For λmax. */
  readonly numImages: number;
  readonly data: string;
  /** PyTorch's version; undefined where it is not there. */
  readonly torch?: string;
}

// Ours: with 128 images, 100 power iterations take about a minute on two cores.
const FULL = { batchSize: 128, trainingSteps: 30, trainingImages: 1280, numImages: 128, powerIterations: 100, repeats: 2 };
const QUICK = { batchSize: 8, trainingSteps: 2, trainingImages: 16, numImages: 8, powerIterations: 3, repeats: 1 };
const TASKS: readonly TaskName[] = ["sgdStep", "samStep", "hvp", "gradient"];

/** Everything that `npm run bench` prints. */
export async function bench(options: BenchOptions): Promise<BenchReport> {
  const { rounds, quick = false, onNote = () => undefined } = options;
  const base = quick ? QUICK : FULL;
  const plan = { ...base, numImages: options.numImages ?? base.numImages };
  const engine = await ready();
  const workload = await makeWorkload(plan);
  const torch = await startTorch(workload, engine, onNote);
  const contenders = [
    ourContender(workload),
    stockContender(workload),
    ...(torch ? [torch.contender] : []),
    ...inputContenders(workload),
  ];
  try {
    const times = await timeInTurns(contenders, { rounds, repeats: plan.repeats, onNote });
    onNote("λmax by Lanczos and by power iteration, which takes as long as all before");
    const lambdaMax = await orNull("λmax", onNote, () => compareLambdaMax(workload, plan));
    const about = { batchSize: plan.batchSize, numImages: plan.numImages, data: workload.data.name };
    return { result: summarize(times, engine, lambdaMax), about: { ...about, ...(torch && { torch: torch.version }) } };
  } finally {
    for (const contender of contenders) await contender.dispose();
  }
}

type Note = (note: string) => void;

async function startTorch(workload: Parameters<TorchProcess["setUp"]>[0], { threads }: EngineInfo, onNote: Note) {
  const python = findTorchPython();
  if (!python) onNote("no Python here has torch: PyTorch's times are left out (SHARPNESS_PYTHON names another Python)");
  if (!python) return undefined;
  const process = new TorchProcess(python, threads);
  const info = await orNull("PyTorch", onNote, () => process.setUp(workload, threads));
  return info ? { contender: torchContender(process), version: info.version } : undefined;
}

async function orNull<T>(what: string, onNote: Note, fn: () => T | Promise<T>): Promise<T | null> {
  try {
    return await fn();
  } catch (error) {
    onNote(`${what} cannot be measured here: ${(error as Error).message}`);
    return null;
  }
}

/** "ours sgdStep" … → a median for each round; null where it failed. */
type Times = Map<string, number[] | null>;

interface TurnOptions {
  readonly rounds: number;
  readonly repeats: number;
  readonly onNote: Note;
}

// Round 0 warms up: kernels are chosen, memory is claimed, code is compiled.
async function timeInTurns(contenders: readonly Contender[], { rounds, repeats, onNote }: TurnOptions): Promise<Times> {
  const times: Times = new Map();
  for (let round = 0; round <= rounds; round++) {
    onNote(round === 0 ? "warming up" : `round ${round} of ${rounds}`);
    for (const task of TASKS)
      for (const { name, tasks } of contenders) {
        const key = `${name} ${task}`;
        const timed = tasks[task];
        if (!timed || times.get(key) === null) continue;
        await pause(20); // threads that spin after their last work come to rest
        const turn = await orNull(key, onNote, () => timed(repeats));
        if (turn === null) times.set(key, null);
        else if (round > 0) times.set(key, [...(times.get(key) ?? []), median(turn)]);
      }
  }
  return times;
}

function summarize(times: Times, { backend, version, threads }: EngineInfo, lambdaMax: LambdaMaxComparison | null): BenchResult {
  const at = (key: string) => (times.get(key) ? median(times.get(key)!) : null);
  const steps = (task: TaskName) => ({ ours: at(`ours ${task}`), stock: at(`stock ${task}`), torch: at(`torch ${task}`) });
  return {
    sgdStep: steps("sgdStep"),
    samStep: steps("samStep"),
    hvp: { ours: at("ours hvp"), torch: at("torch hvp"), gradient: at("ours gradient") },
    inputPipeline: { prepared: at("prepared sgdStep"), pipeline: at("pipeline sgdStep"), mainThread: at("mainThread sgdStep") },
    lambdaMax,
    threads,
    engine: `${backend} ${version}`,
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [Math.floor((sorted.length - 1) / 2), Math.ceil((sorted.length - 1) / 2)];
  return (sorted[low]! + sorted[high]!) / 2;
}
