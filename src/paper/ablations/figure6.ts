/** Figure 6: test error against ρ for perturbations by the 2-norm, by the ∞-norm, and in a random direction. */
import type { RunOptions } from "../../experiments/config";
import {
  bestTags,
  countOf,
  describeDataset,
  describeModel,
  labeledRows,
  quickDataset,
  tuningRuns,
  type PlannedRun,
} from "../../experiments/plan";
import type { RunRecord } from "../../experiments/records";
import {
  estimateBy,
  formatEstimate,
  formatSize,
  pairedDifference,
  type SeedMean,
  type SeedValue,
} from "../../experiments/statistics";
import { errorVersusRho, inPercent, type FigureSpec, type RhoPoint } from "../../plots";
import { runFootnotes, type TableRow } from "../../tables";
import { verdictNote, verdictsOn, type Claim } from "../claims";
import type { Budget, ItemSummary, ItemTable, PaperItem } from "../item";
import { paperNumbers, selectNumbers } from "../numbers";
import { labBase } from "./labBase";

/** Figure 6: random perturbations in place of SAM's. */
export const figure6: PaperItem<Figure6Row> = {
  id: "figure-6",
  title: "Figure 6",
  claim:
    "SAM's ε̂ by the 2-norm lowers the test error most, by the ∞-norm less, and a random direction least, at a far larger radius.",
  describe,
  plan,
  rows: figure6Rows,
  claims: claimsOf,
  remarks: remarksOf,
  table: tableOf,
  figure: figureOf,
  summary: summarize,
};

/** The curves in the order of the paper's claim, each with its name in the paper's file and its part of the config. */
const perturbations = [
  { name: "p = 2", norm: "2", training: {} },
  { name: "p = ∞", norm: "inf", training: { normP: "infinity" } },
  { name: "random direction", norm: "random", training: { variant: { name: "random" } } },
] as const satisfies readonly { name: string; norm: string; training: Partial<RunOptions["training"]> }[];

type Norm = (typeof perturbations)[number]["norm"];

const NONE = "no SAM";

interface NormScale {
  readonly base: RunOptions;
  readonly seeds: number;
  readonly rhos: Readonly<Record<Norm, readonly number[]>>;
  /** Images held out of the training set to choose ρ on; 0 for a grid of one. */
  readonly heldOutSize: number;
  readonly tuningSeeds?: readonly number[];
}

const scales: Record<Budget, NormScale> = {
  smoke: {
    base: {
      dataset: quickDataset({ trainSize: 128, testSize: 100 }),
      model: { name: "convNet", widths: [4, 4] },
      training: { epochs: 1, batchSize: 32 },
    },
    ...{ seeds: 1, rhos: { "2": [0.1, 0.2], inf: [0.001], random: [2] }, heldOutSize: 64, tuningSeeds: [1000] },
  },
  demo: {
    base: {
      dataset: { ...quickDataset({ trainSize: 200, testSize: 2000 }), imageSize: 14 },
      model: { name: "convNet", widths: [8, 16] },
      training: { epochs: 30, batchSize: 32 },
    },
    ...{ seeds: 1, rhos: { "2": [0.1, 0.2], inf: [0.001, 0.002], random: [2, 5] }, heldOutSize: 200, tuningSeeds: [1000] },
  },
  lab: {
    base: labBase,
    // ∞: around ρ₂/√k, where 0.2 is 0.0007 for k = 75 002 weights. Random: 20 to 50 times ρ₂, as far as so small a network bears it.
    rhos: { "2": [0.1, 0.2, 0.4, 0.8], inf: [0.0003, 0.0007, 0.0015, 0.003], random: [2, 5, 10, 20] },
    ...{ seeds: 5, heldOutSize: 300 },
  },
  paper: {
    base: {
      dataset: { name: "cifar-10" },
      model: { name: "wideResNet", depth: 28, widen: 10 }, // ours: the paper says WideResNet
      training: { epochs: 200, batchSize: 256, augment: "basic" },
    },
    rhos: paperRhos(),
    ...{ seeds: 5, heldOutSize: 5000 }, // paper App. C.1: 10 % of the training images
  },
};

function paperRhos(): Record<Norm, readonly number[]> {
  const numbers = paperNumbers("figure-6");
  const rhos = (norm: Norm) => selectNumbers(numbers, { norm }).map(({ rho }) => Number(rho));
  return { "2": rhos("2"), inf: rhos("inf"), random: rhos("random") };
}

function describe(budget: Budget): string {
  const { base, seeds } = scales[budget];
  const { dataset, model, training } = base;
  const { epochs, batchSize, augment } = training;
  const images = augment === "basic" ? ", flips and crops" : "";
  return `${describeModel(model)}, ${describeDataset(dataset)}${images}, batches of ${batchSize}, ${countOf(epochs, "epoch")}, ${countOf(seeds, "seed")}`;
}

function plan(budget: Budget): PlannedRun[] {
  const { base, seeds } = scales[budget];
  const reported = [withoutSam(base), ...perturbations.flatMap(({ norm }) => curve(budget, norm))];
  const withSeeds = Array.from({ length: seeds }, (_, seed) => seed).flatMap((seed) =>
    reported.map(({ config, labels }) => ({ config: { ...config, training: { ...config.training, seed } }, labels })),
  );
  return [...withSeeds, ...perturbations.flatMap(({ norm }) => search(budget, norm))];
}

function withoutSam(base: RunOptions): PlannedRun {
  const { training } = base;
  return {
    config: { ...base, training: { ...training, evaluateEvery: training.epochs } },
    labels: { perturbation: NONE, rho: 0 },
  };
}

/** One run for each ρ of a curve. */
function curve(budget: Budget, norm: Norm): PlannedRun[] {
  const { base, rhos } = scales[budget];
  const { name, training } = perturbations.find((each) => each.norm === norm)!;
  return rhos[norm].map((rho) => ({
    config: { ...base, training: { ...base.training, ...training, rho, evaluateEvery: base.training.epochs } },
    labels: { perturbation: name, rho },
  }));
}

/** The runs that choose a curve's ρ, on held-out images. */
function search(budget: Budget, norm: Norm): PlannedRun[] {
  const { heldOutSize, tuningSeeds } = scales[budget];
  return curve(budget, norm).flatMap((run) => tuningRuns(run, { heldOutSize, seeds: tuningSeeds }));
}

export interface Figure6Row {
  /** "p = 2", "p = ∞", "random direction" or "no SAM". */
  readonly perturbation: string;
  readonly rho: number;
  readonly seed: number;
  /** In [0, 1]. */
  readonly testErrorRate: number;
  /** Whether this ρ has its curve's lowest error on held-out images; true without SAM. */
  readonly chosen: boolean;
}

/** One row for each finished run on the test images. */
export function figure6Rows(budget: Budget, records: readonly RunRecord[]): Figure6Row[] {
  const choices = new Map(perturbations.map(({ name, norm }) => [name as string, bestTags(search(budget, norm), records)?.rho]));
  const reported = plan(budget).filter(({ config }) => !config.dataset.heldOutSize);
  return labeledRows(reported, records).map((row) => {
    const { perturbation, rho } = row as unknown as Figure6Row;
    const chosen = perturbation === NONE || choices.get(perturbation) === rho;
    return { perturbation, rho, seed: row.seed, testErrorRate: row.testErrorRate, chosen };
  });
}

function chosenErrors(rows: readonly Figure6Row[], perturbation: string): SeedValue[] {
  const chosen = rows.filter((row) => row.chosen && row.perturbation === perturbation);
  return chosen.map(({ seed, testErrorRate }) => ({ seed, value: testErrorRate }));
}

interface Step {
  readonly better: string;
  readonly than: string;
  readonly gain: SeedMean;
}

/** The paper's order, p = 2 before p = ∞ before a random direction before none, as differences of neighbors at the chosen ρ. */
function stepsOf(rows: readonly Figure6Row[]): Step[] {
  const names = [...perturbations.map(({ name }) => name as string), NONE];
  return names.slice(1).flatMap((than, i) => {
    const better = names[i]!;
    const [errors, others] = [chosenErrors(rows, better), chosenErrors(rows, than)];
    return errors.length > 0 && others.length > 0 ? [{ better, than, gain: pairedDifference(others, errors) }] : [];
  });
}

function claimsOf(rows: readonly Figure6Row[]): Claim[] {
  const steps = stepsOf(rows);
  const verdicts = verdictsOn(steps.map(({ gain }) => gain));
  const evidence = `At the ρ chosen on held-out images, ${steps.map(gainText).join("; ")}.`;
  return steps.map(({ better, than }, i) => ({
    statement: `${named(better)} has less error than ${named(than)}`,
    verdict: verdicts[i]!,
    evidence,
  }));
}

function gainText({ better, than, gain }: Step): string {
  return `${named(better)} has ${formatSize(gain, { scale: 100 })} points ${gain.mean > 0 ? "less" : "more"} error than ${named(than)}`;
}

function named(perturbation: string): string {
  if (perturbation === NONE) return "training without SAM";
  return perturbation === "random direction" ? "a random direction" : `SAM with ${perturbation}`;
}

function remarksOf(rows: readonly Figure6Row[], budget: Budget): string[] {
  const chosen = perturbations.flatMap(({ name, norm }) => {
    const rho = chosenRho(rows, name);
    return rho === undefined ? [] : [{ name, norm, rho }];
  });
  if (chosen.length === 0) return [];
  const listed = chosen.map(({ name, rho }) => `${rho} (${name})`).join(", ");
  const edge = chosen.filter(({ norm, rho }) => isAtEdge(scales[budget].rhos[norm], rho)).map(({ name }) => name);
  return [
    `The chosen ρ: ${listed}. The paper's best are 0.05, 5e-5 and 7.5 to 15.`,
    ...(edge.length > 0
      ? [`The chosen ρ is at the edge of its grid for ${edge.join(", ")}: a larger grid may have a better one.`]
      : []),
  ];
}

function chosenRho(rows: readonly Figure6Row[], perturbation: string): number | undefined {
  return rows.find((row) => row.chosen && row.perturbation === perturbation)?.rho;
}

function isAtEdge(rhos: readonly number[], rho: number): boolean {
  return rhos.length > 1 && [Math.min(...rhos), Math.max(...rhos)].includes(rho);
}

function tableOf(rows: readonly Figure6Row[], budget: Budget): ItemTable {
  const numbers = paperNumbers("figure-6");
  const names = [...perturbations.map(({ name }) => name as string), NONE];
  return {
    rows: names.map(
      (perturbation): TableRow => ({
        perturbation,
        ...paperCells(perturbation),
        rho: perturbation === NONE ? undefined : chosenRho(rows, perturbation),
        error: chosenText(rows, perturbation),
      }),
    ),
    title: "Figure 6: test error in per cent at the best ρ of each perturbation",
    columns: {
      perturbation: "perturbation",
      paperRho: "paper · ρ",
      paperError: "paper · error",
      rho: "ours · ρ",
      error: "ours · error",
    },
    footnotes: runFootnotes({
      budget,
      seeds: new Set(rows.map(({ seed }) => seed)).size,
      paperSpread: numbers.spread,
      notes: [
        `${describe(budget)}.`,
        "Our ρ is chosen on held-out images; the paper's is the lowest point of each curve. Without SAM, the paper's number is its 2-norm curve at the smallest ρ.",
        verdictNote,
      ],
    }),
  };
}

function chosenText(rows: readonly Figure6Row[], perturbation: string): string | undefined {
  const chosen = rows.filter((row) => row.chosen && row.perturbation === perturbation);
  const [mean] = chosen.length > 0 ? estimateBy(chosen, ["perturbation"], "testErrorRate") : [];
  return mean && formatEstimate(mean, { scale: 100 });
}

function paperCells(perturbation: string): TableRow {
  const points = paperPoints().filter(({ series }) => series === (perturbation === NONE ? "p = 2" : perturbation));
  const best = points.reduce((a, b) => (b.mean < a.mean ? b : a));
  const shown = perturbation === NONE ? points[0]! : best;
  return { ...(perturbation === NONE ? {} : { paperRho: shown.rho }), paperError: shown.mean.toFixed(2) };
}

function figureOf(rows: readonly Figure6Row[], budget: Budget): FigureSpec {
  return errorVersusRho({
    title: titleOf(rows),
    subtitle: `Test error against ρ. Paper: WideResNet, CIFAR-10. Ours: ${describe(budget)}.`,
    seriesTitle: "perturbation",
    rows: estimateBy(rows, ["perturbation", "rho"], "testErrorRate").map(({ perturbation, rho, ...mean }) => ({
      ...inPercent(mean),
      ...{ rho, series: perturbation },
    })),
    paper: paperPoints(),
  });
}

function paperPoints(): RhoPoint[] {
  return paperNumbers("figure-6").rows.map(({ norm, rho, value }) => ({
    ...{ rho: Number(rho), mean: value },
    series: perturbations.find((each) => each.norm === norm)!.name,
  }));
}

function titleOf(rows: readonly Figure6Row[]): string {
  const verdicts = claimsOf(rows).map(({ verdict }) => verdict);
  if (verdicts.includes("one seed")) return "One seed: test error by kind of perturbation";
  const yes = verdicts.filter((verdict) => verdict === "yes").length;
  if (yes === verdicts.length && yes > 0) return "SAM's own direction helps most, a random one least";
  return `The paper's order of perturbations is found in ${yes} of ${verdicts.length} comparisons of neighbors`;
}

function summarize(rows: readonly Figure6Row[]): ItemSummary {
  const names = [...perturbations.map(({ name }) => name as string), NONE];
  return {
    paper: names.map((name) => `${name} ${String(paperCells(name).paperError)}`).join(", ") + " % error",
    ours: names.map((name) => `${name} ${chosenText(rows, name) ?? "–"}`).join(", ") + " % error",
    seeds: chosenErrors(rows, NONE).length,
    claims: claimsOf(rows),
  };
}
