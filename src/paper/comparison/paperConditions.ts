/** Tables 1, 5 and 9 as the paper ran them: one condition for each of its rows, with the hyper-parameters of its Tables 6 and 7. */
import type { Condition } from "./comparison";
import type { RunOptions } from "../../experiments/config";
import { datasetFacts } from "../../experiments/datasets";
import { paperHyperParameters, type PaperHyperParameters } from "./hyperParameters";
import { paperNumbers, selectNumbers, type PaperNumber } from "../numbers";

type Augment = NonNullable<RunOptions["training"]["augment"]>;

interface Network {
  readonly model: RunOptions["model"];
  /** Its name in Table 6. */
  readonly inTable6: string;
  /** Epochs of SAM and of SGD; SGD also has twice as many. */
  readonly epochs: number;
}

const networks: Readonly<Record<string, Network>> = {
  "WRN-28-10": { model: { name: "wideResNet", depth: 28, widen: 10 }, inTable6: "WRN-28-10", epochs: 200 },
  // Ours: the paper names no epochs. AutoAugment, whose setup it follows, trains Shake-Shake for 1800.
  "Shake-Shake (26 2x96d)": { model: { name: "shakeShake" }, inTable6: "WRN 26-2x6 Shake-Shake", epochs: 1800 },
  // Ours: the paper names no epochs. ASAM's runs of the same network have 900 with SAM and 1800 with SGD.
  PyramidNet: { model: { name: "pyramidNet" }, inTable6: "Pyramid vanilla", epochs: 900 },
  "PyramidNet+ShakeDrop": { model: { name: "pyramidNet", shakeDrop: true }, inTable6: "Pyramid ShakeDrop", epochs: 900 },
};

// Ours: the paper names none. AutoAugment trains for 160 on SVHN; Fashion-MNIST has what WRN-28-10 has on CIFAR.
const smallDataEpochs: Readonly<Record<string, number>> = { svhn: 160, "fashion-mnist": 200 };

/** Augmentations that mean something else for one data set. */
const augments: Readonly<Record<string, Augment>> = {
  "svhn autoaugment": "autoaugment-svhn",
  "fashion-mnist autoaugment": "cutout", // paper App. C.1: cutout alone
};

/** Every row of the paper's table; `rhoEverywhere` replaces the tuned ρ, as in Table 9. */
export function paperConditions(table: "table-1" | "table-5" | "table-9", rhoEverywhere?: number): Condition[] {
  const rows = selectNumbers(paperNumbers(table), { method: "sam" });
  return rows.map((row) => paperCondition(row, { table: table === "table-5" ? "table-7" : "table-6", rhoEverywhere }));
}

/** Whether a condition of Table 1 or 5 has its settings from the row of Table 6 or 7 that `where` names. */
export function isTrainedWith(
  { paper }: Condition,
  { table, where }: { table: "table-6" | "table-7"; where: { model: string; dataset: string; epochs?: number } },
): boolean {
  const { model, dataset, epochs } = paper!;
  const name = table === "table-6" ? networks[String(model)]!.inTable6 : model;
  return name === where.model && dataset === where.dataset && (where.epochs === undefined || epochs === where.epochs);
}

function paperCondition(row: PaperNumber, from: { table: "table-6" | "table-7"; rhoEverywhere?: number | undefined }): Condition {
  const dataset = String(row.dataset) as RunOptions["dataset"]["name"];
  const [name, augmentation] = [String(row.model), String(row.augmentation)];
  const { model } = networks[name]!;
  const epochs = epochsOf(row);
  const augment = augments[`${dataset} ${augmentation}`] ?? (augmentation as Augment);
  const { rho, ...settings } = hyperParametersOf(row, from.table);
  return {
    labels: { model: name, data: datasetFacts[dataset].title, augment, epochs },
    // Eight devices share a batch, and 32 images one ε̂ (paper Sec. 3.1, footnote 5).
    config: { dataset: { name: dataset }, model, training: { ...settings, m: settings.batchSize / 8, augment, epochs } },
    rhos: [from.rhoEverywhere ?? rho],
    paper: { dataset, model: name, augmentation, ...(row.epochs === undefined ? {} : { epochs: row.epochs }) },
  };
}

function epochsOf({ model, dataset, epochs }: PaperNumber): number {
  return Number(epochs ?? smallDataEpochs[String(dataset)] ?? networks[String(model)]!.epochs);
}

function hyperParametersOf({ model, dataset, epochs }: PaperNumber, table: "table-6" | "table-7"): PaperHyperParameters {
  const name = table === "table-6" ? networks[String(model)]!.inTable6 : String(model);
  return paperHyperParameters(table, { dataset: dataset!, model: name, ...(epochs === undefined ? {} : { epochs }) });
}
