/** The history of a training as a table for readers: losses with three decimals, rates in per cent. */
import type { TableRow } from "./table";

/** What the table shows of an epoch: fields of a training's history. */
interface Epoch {
  readonly epoch: number;
  readonly trainLoss: number;
  readonly perturbedLoss: number;
  readonly testLoss?: number;
  readonly testErrorRate?: number;
  readonly trainErrorRate?: number;
  readonly memorization?: { readonly flippedFitted?: number; readonly cleanFitted?: number };
}

interface WithHistory {
  readonly history: readonly Epoch[];
}

/**
 * One row for each epoch of a training, a record or a run, for `toHtml` and its like. Columns that no epoch fills are left out, and so is
 * the loss at w + ε̂ where it is the training loss throughout.
 * @throws if `run` has no history
 */
export function historyTable(run: WithHistory | { readonly record: WithHistory }): TableRow[] {
  const history = "record" in run ? run.record.history : run.history;
  if (!Array.isArray(history)) throw new Error("historyTable: expected a training, a record or a run, which have a history");
  const rows: Row[] = history.map((epoch: Epoch) => ({ epoch: epoch.epoch, ...lossesOf(epoch), ...ratesOf(epoch) }));
  const plain = history.every(({ trainLoss, perturbedLoss }) => trainLoss === perturbedLoss);
  const isShown = (field: string) => !(plain && field === "loss at w + ε̂") && rows.some((row) => row[field] !== undefined);
  const fields = Object.keys(rows[0] ?? {}).filter(isShown);
  return rows.map((row) => Object.fromEntries(fields.map((field) => [field, row[field]])));
}

type Row = Record<string, string | number | undefined>;

function lossesOf({ trainLoss, perturbedLoss, testLoss }: Epoch): Row {
  const text = (loss: number | undefined) => loss?.toFixed(3);
  return { "training loss": text(trainLoss), "loss at w + ε̂": text(perturbedLoss), "test loss": text(testLoss) };
}

function ratesOf({ testErrorRate, trainErrorRate, memorization = {} }: Epoch): Row {
  const text = (rate: number | undefined) => (rate === undefined ? undefined : `${(100 * rate).toFixed(1)} %`);
  return {
    "test error": text(testErrorRate),
    "training error": text(trainErrorRate),
    "clean labels reproduced": text(memorization.cleanFitted),
    "flipped labels reproduced": text(memorization.flippedFitted),
  };
}
