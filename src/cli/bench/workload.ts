/** What every contender of the benchmark computes: one network on 28×28×1 images, one batch, one set of initial weights. */
import { hasFashionMnist, loadFashionMnist, makeBatch, syntheticImages, type Dataset } from "../../data";
import { Rng } from "../../engine";
import { convNet, mlp, wideResNet, type Model, type Variables } from "../../models";
import { trainConfig, type StepBatch, type TrainConfig } from "../../training";
import { labeled, toStepBatch } from "../../training/methods/method";

/** A network by its options, for PyTorch too. */
export type NetworkSpec =
  | { readonly kind: "wideResNet"; readonly depth: number; readonly widenFactor: number }
  | { readonly kind: "convNet"; readonly widths: readonly number[] }
  | { readonly kind: "mlp"; readonly hidden: readonly number[] };

export interface Workload {
  readonly spec: NetworkSpec;
  readonly model: Model;
  readonly data: Dataset;
  /** The first `batchSize` of the data. */
  readonly batch: StepBatch;
  readonly initial: Variables;
  readonly sgd: TrainConfig;
  readonly sam: TrainConfig;
}

export interface WorkloadOptions {
  readonly batchSize: number;
  /** The data set is as large as the larger of the two. */
  readonly trainingImages: number;
  readonly numImages: number;
  /** Default: WRN-10-2. */
  readonly network?: NetworkSpec;
}

const RHO = 0.05; // paper App. C.3: the untuned default
// Ours: the benchmark repeats one batch, on which the usual 0.1 would reach a loss of zero and its denormal numbers.
const LEARNING_RATE = 0.01;

/** Real clothes where they are, generated ones where not. The caller owns the tensors. */
export async function makeWorkload(options: WorkloadOptions): Promise<Workload> {
  const { batchSize, trainingImages, numImages, network: spec = WRN_10_2 } = options;
  const model = makeNetwork(spec);
  const size = Math.max(batchSize, trainingImages, numImages);
  const data = hasFashionMnist() ? await loadFashionMnist({ limit: size }) : syntheticImages({ size });
  const [sgd, sam] = [0, RHO].map((rho) =>
    trainConfig({ epochs: 1, batchSize, rho, learningRate: LEARNING_RATE, schedule: "constant" }),
  );
  return { spec, model, data, batch: batchAt(data, 0, batchSize), initial: model.init(new Rng("bench")), sgd: sgd!, sam: sam! };
}

const WRN_10_2: NetworkSpec = { kind: "wideResNet", depth: 10, widenFactor: 2 };

function makeNetwork({ kind, ...options }: NetworkSpec): Model {
  const shape = { inputShape: [28, 28, 1], numClasses: 10 } as const;
  if (kind === "wideResNet") return wideResNet({ ...shape, ...(options as { depth: number; widenFactor: number }) });
  if (kind === "convNet") return convNet({ ...shape, ...(options as { widths: number[] }) });
  return mlp({ ...shape, ...(options as { hidden: number[] }) });
}

/** The examples from `start` on, as tensors. */
export function batchAt(data: Dataset, start: number, size: number): StepBatch {
  const indices = Int32Array.from({ length: size }, (_, i) => start + i);
  const batch = makeBatch(data, indices, { chosen: NO_AUGMENTATION, rng: undefined, firstIndex: 0 });
  return toStepBatch(labeled(batch, data), data);
}

const NO_AUGMENTATION = { name: "none" };
