/** `npm run bench -- --networks`: training steps and evaluation of small and larger networks, ours beside PyTorch, in turns. */
import { GraphCache, ready, tf } from "../../engine";
import { evaluateBatch } from "../../training/evaluate";
import { Training, type TaskName } from "./contenders";
import { findTorchPython, TorchProcess } from "./torch";
import { makeWorkload, type NetworkSpec, type Workload } from "./workload";

/** Medians in milliseconds. */
export interface Cost {
  readonly ms: number;
  /** Processor time of all threads: steadier than `ms` where other programs run too. */
  readonly cpu: number;
}

type Task = Extract<TaskName, "sgdStep" | "samStep"> | "evaluate";

export interface NetworkRow {
  readonly network: string;
  readonly task: Task;
  /** Replayed as a graph, as trainings are. */
  readonly ours: Cost;
  /** Ours, operation by operation. */
  readonly eager: Cost;
  readonly torch: Cost | null;
}

export interface NetworksOptions {
  readonly rounds: number;
  readonly batchSize?: number;
  readonly networks?: readonly NetworkSpec[];
  readonly onNote?: (note: string) => void;
}

export const NETWORKS: readonly NetworkSpec[] = [
  { kind: "mlp", hidden: [256, 256] },
  { kind: "convNet", widths: [16, 32, 64] },
  { kind: "wideResNet", depth: 10, widenFactor: 2 },
  { kind: "wideResNet", depth: 16, widenFactor: 4 },
];

const TASKS: readonly Task[] = ["sgdStep", "samStep", "evaluate"];
const TURN_MS = 300; // a turn repeats a task for about so long

/** One row for each network and task. */
export async function benchNetworks(options: NetworksOptions): Promise<NetworkRow[]> {
  const { rounds, batchSize = 128, networks = NETWORKS, onNote = () => undefined } = options;
  const { threads } = await ready();
  const python = findTorchPython();
  const rows: NetworkRow[] = [];
  for (const network of networks) {
    const workload = await makeWorkload({ batchSize, trainingImages: batchSize, numImages: batchSize, network });
    const torch = python ? new TorchProcess(python, threads) : undefined;
    try {
      await torch?.setUp(workload, threads);
      onNote(workload.model.name);
      for (const task of TASKS) rows.push(await timeTask(task, workload, { torch, rounds }));
    } finally {
      torch?.stop();
      const { images, targets } = workload.batch;
      tf.dispose([images, targets, workload.initial.weights, workload.initial.stats]);
    }
  }
  return rows;
}

interface Turns {
  readonly torch: TorchProcess | undefined;
  readonly rounds: number;
}

async function timeTask(task: Task, workload: Workload, { torch, rounds }: Turns): Promise<NetworkRow> {
  const [ours, eager] = [true, false].map((graph) => ourTask(task, workload, graph)) as [OurTask, OurTask];
  const runs: Record<"ours" | "eager" | "torch", (count: number) => Promise<Costs>> = {
    ours: async (count) => costs(count, ours.run),
    eager: async (count) => costs(count, eager.run),
    torch: async (count) => (torch ? torch.cost(task, count) : { ms: [], cpu: [] }),
  };
  await Promise.all(Object.values(runs).map((run) => run(1))); // recordings, and memory that grows once
  const count = Math.max(1, Math.round(TURN_MS / (await runs.ours(1)).ms[0]!));
  const found = { ours: noCosts(), eager: noCosts(), torch: noCosts() };
  for (let round = 0; round < rounds; round++)
    for (const name of ["ours", "eager", "torch"] as const) {
      const { ms, cpu } = await runs[name](count);
      found[name].ms.push(...ms);
      found[name].cpu.push(...cpu);
    }
  [ours, eager].forEach(({ dispose }) => dispose());
  const { model } = workload;
  return {
    network: model.name,
    task,
    ours: medians(found.ours),
    eager: medians(found.eager),
    torch: torch ? medians(found.torch) : null,
  };
}

interface OurTask {
  run(): void;
  dispose(): void;
}

function ourTask(task: Task, workload: Workload, graph: boolean): OurTask {
  if (task === "evaluate") return evaluation(workload, graph);
  const training = new Training(workload.model, task === "sgdStep" ? workload.sgd : workload.sam, workload, { graph });
  return { run: () => void training.step(), dispose: () => training.dispose() };
}

function evaluation({ model, initial, batch }: Workload, graph: boolean): OurTask {
  const graphs = graph ? new GraphCache() : undefined;
  return {
    run: () => tf.tidy(() => void evaluateBatch(model, initial, batch, graphs)),
    dispose: () => graphs?.dispose(),
  };
}

interface Costs {
  readonly ms: number[];
  readonly cpu: number[];
}

const noCosts = (): Costs => ({ ms: [], cpu: [] });

function costs(count: number, fn: () => void): Costs {
  const found = noCosts();
  for (let i = 0; i < count; i++) {
    const [start, used] = [performance.now(), process.cpuUsage()];
    fn();
    const { user, system } = process.cpuUsage(used);
    found.ms.push(performance.now() - start);
    found.cpu.push((user + system) / 1000);
  }
  return found;
}

function medians({ ms, cpu }: Costs): Cost {
  const median = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!;
  return { ms: median(ms), cpu: median(cpu) };
}
