/** Table 8: clean validation error of bootstrapped SAM, for each ρ and noise rate; the runs that choose Table 4's ρ. */
import { finishedRecords, labeledRows, type Budget, type LabeledRow, type PaperItem, type PlannedRun } from "../item";
import { describeTuning, noiseRates, samEpochs, table8Rhos, validationConfig } from "./runs";
import type { RunRecord } from "../../experiments/records";
import { formatEstimate } from "../../experiments/statistics";
import { percent } from "./table4";

export const table8: PaperItem = {
  id: "table-8",
  recordsIn: "table-4",
  title: "Table 8",
  claim:
    "The error of bootstrapped SAM falls sharply at a ρ between 0.05 and 0.1, and rises again beyond 0.2; at ρ = 0 bootstrapping does nothing.",
  describe: describeTuning,
  plan,
  conclusions: (budget, records) => conclude(table8Rows(budget, records)),
};

/** One row per finished run; error rates in [0, 1] on clean held-out images. */
export function table8Rows(budget: Budget, records: readonly RunRecord[]): Table8Row[] {
  const planned = finishedRecords(plan(budget), records);
  const rows = labeledRows(plan(budget), records) as Omit<Table8Row, "firstTestErrorRate">[];
  return rows.map(
    (row, i) => ({ ...row, firstTestErrorRate: planned[i]!.record.metrics.firstTestErrorRate ?? NaN }) as Table8Row,
  );
}

export interface Table8Row extends LabeledRow {
  readonly rho: number;
  readonly noiseRate: number;
  /** Of the first training, on the labels as they were given. */
  readonly firstTestErrorRate: number;
}

function plan(budget: Budget): PlannedRun[] {
  return noiseRates(budget).flatMap((noiseRate) =>
    table8Rhos(budget).map((rho) => ({
      config: validationConfig(budget, { noiseRate, training: { epochs: samEpochs(budget), rho }, bootstrap: true }),
      labels: { rho, noiseRate },
    })),
  );
}

/** The row of least error at a noise rate; of equals the smaller ρ. */
export function bestRow(rows: readonly Table8Row[], noiseRate: number): Table8Row | undefined {
  const here = rows.filter((row) => row.noiseRate === noiseRate);
  return here.reduce<Table8Row | undefined>((a, b) => (a && a.testErrorRate <= b.testErrorRate ? a : b), undefined);
}

function conclude(rows: readonly Table8Row[]): string[] {
  const rates = [...new Set(rows.map(({ noiseRate }) => noiseRate))];
  const bests = rates.map((noiseRate) => bestRow(rows, noiseRate)!);
  if (bests.length === 0) return [];
  const listed = bests.map(
    ({ noiseRate, rho, testErrorRate }) =>
      `${percent(noiseRate)} noise: ${error(testErrorRate)} at ρ = ${rho}, ${error(errorAt(rows, noiseRate, 0))} at ρ = 0`,
  );
  return [
    `Least error by noise rate, one seed: ${listed.join("; ")}.`,
    `${interior(rows, bests)} ${jump(rows, rates)}`,
    ...concludeSecond(rows, bests),
    ...concludeBestRho(bests),
  ];
}

/** What the second training adds: nothing at ρ = 0, says the paper. */
function concludeSecond(rows: readonly Table8Row[], bests: readonly Table8Row[]): string[] {
  const fall = ({ firstTestErrorRate, testErrorRate }: Table8Row) => 100 * (testErrorRate - firstTestErrorRate);
  const plain = rows.filter(({ rho }) => rho === 0);
  const falls = [...plain, ...bests].map(fall);
  if (plain.length === 0 || falls.some(Number.isNaN)) return [];
  const list = (some: readonly Table8Row[]) =>
    some.map((row) => `${formatEstimate({ mean: fall(row) }, { decimals: 1 })} (${percent(row.noiseRate)})`).join(", ");
  return [
    `The second training, on predicted labels, changes the error at ρ = 0 by ${list(plain)} points and at the best ρ by ${list(bests)}.`,
  ];
}

function concludeBestRho(bests: readonly Table8Row[]): string[] {
  const [first, last] = [bests[0]!, bests.at(-1)!];
  if (first === last) return [];
  const verdict = last.rho < first.rho ? "replicates" : "does not replicate";
  return [`That the best ρ is smaller at ${percent(last.noiseRate)} noise than at ${percent(first.noiseRate)} ${verdict}.`];
}

function errorAt(rows: readonly Table8Row[], noiseRate: number, rho: number): number {
  return rows.find((row) => row.noiseRate === noiseRate && row.rho === rho)?.testErrorRate ?? NaN;
}

const error = (rate: number) => (Number.isNaN(rate) ? "–" : `${(100 * rate).toFixed(1)} %`);

function interior(rows: readonly Table8Row[], bests: readonly Table8Row[]): string {
  const rhos = rows.map(({ rho }) => rho);
  const inside = bests
    .filter(({ rho }) => rho > Math.min(...rhos) && rho < Math.max(...rhos))
    .map(({ noiseRate }) => percent(noiseRate));
  if (inside.length === bests.length) return "That there is a best ρ, with more error on both sides, replicates.";
  if (inside.length === 0) return "That there is a best ρ, with more error on both sides, does not replicate on this grid.";
  return `That there is a best ρ, with more error on both sides, replicates at ${inside.join(", ")} alone.`;
}

/** The paper's error at 20 to 60 % falls to less than half from ρ = 0.05 to 0.1: here, the steepest fall between neighbors. */
function jump(rows: readonly Table8Row[], rates: readonly number[]): string {
  const steepest = rates.map((noiseRate) => steepestFall(rows, noiseRate));
  const listed = steepest.map(
    ({ noiseRate, from, to, ratio }) => `${ratio.toFixed(2)} times from ρ = ${from} to ${to} (${percent(noiseRate)})`,
  );
  const sharp = steepest.every(({ ratio }) => ratio <= 0.5);
  return `The steepest fall between neighbors on the grid is to ${listed.join(", ")}: the paper's sharp threshold, to less than half, ${sharp ? "replicates" : "does not replicate"}.`;
}

function steepestFall(rows: readonly Table8Row[], noiseRate: number) {
  const here = rows.filter((row) => row.noiseRate === noiseRate).sort((a, b) => a.rho - b.rho);
  const steps = here
    .slice(1)
    .map((row, i) => ({ noiseRate, from: here[i]!.rho, to: row.rho, ratio: row.testErrorRate / here[i]!.testErrorRate }));
  return steps.reduce((a, b) => (b.ratio < a.ratio ? b : a));
}
