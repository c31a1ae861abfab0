/** `npm run bench -- --profile`: where an eager SAM step spends its time, kernel by kernel, and how much is outside of kernels. */
import { ready, tf } from "../../engine";
import { Training } from "./contenders";
import { makeWorkload, type NetworkSpec } from "./workload";

export interface KernelShare {
  readonly kernel: string;
  /** Calls in a step. */
  readonly count: number;
  /** Milliseconds of a step, and their share of it. */
  readonly ms: number;
  readonly share: number;
}

export interface Profile {
  readonly network: string;
  readonly stepMs: number;
  /** The dearest first. */
  readonly kernels: readonly KernelShare[];
  /** JavaScript, the tape, the binding. */
  readonly outside: { readonly ms: number; readonly share: number };
}

interface Executor {
  executeOp(name: string, ...rest: unknown[]): unknown;
}

/** Mean over `steps` SAM steps, one operation after the other, on the native engine. */
export async function profileStep({ steps, network, batchSize = 128 }: ProfileOptions): Promise<Profile> {
  const { backend: name } = await ready();
  if (name !== "native") throw new Error(`the engine is ${name}: kernels are timed on the native one`);
  const workload = await makeWorkload({ batchSize, trainingImages: batchSize, numImages: batchSize, network });
  const training = new Training(workload.model, workload.sam, workload, { graph: false });
  training.step();
  const { kernels, total } = timed(() => Array.from({ length: steps }, () => training.step()));
  training.dispose();
  const share = (ms: number) => ({ ms: ms / steps, share: ms / total });
  const rows = [...kernels].map(([kernel, { ms, count }]) => ({ kernel, count: count / steps, ...share(ms) }));
  const inside = [...kernels.values()].reduce((sum, { ms }) => sum + ms, 0);
  const sorted = rows.sort((a, b) => b.ms - a.ms);
  return { network: workload.model.name, stepMs: total / steps, kernels: sorted, outside: share(total - inside) };
}

export interface ProfileOptions {
  readonly steps: number;
  readonly network?: NetworkSpec;
  readonly batchSize?: number;
}

function timed(fn: () => void) {
  const backend = tf.backend() as unknown as { binding: Executor };
  const { binding } = backend;
  const kernels = new Map<string, { ms: number; count: number }>();
  const executeOp = (name: string, ...rest: unknown[]) => {
    const start = performance.now();
    const result = binding.executeOp(name, ...rest);
    const known = kernels.get(name) ?? { ms: 0, count: 0 };
    kernels.set(name, { ms: known.ms + performance.now() - start, count: known.count + 1 });
    return result;
  };
  backend.binding = Object.create(binding, { executeOp: { value: executeOp } }) as Executor;
  try {
    const start = performance.now();
    fn();
    return { kernels, total: performance.now() - start };
  } finally {
    backend.binding = binding;
  }
}
