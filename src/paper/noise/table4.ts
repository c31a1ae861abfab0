/** Table 4: accuracy on a clean test set after training with wrong labels, for SAM and for the methods made for such labels. */
import { estimate, formatEstimate } from "../../experiments/statistics";
import { dotIntervals, inPercent, type DotInterval, type FigureSpec, type LineNote } from "../../plots";
import { runFootnotes, type TableRow } from "../../tables";
import { verdictNote } from "../claims";
import type { Budget, ItemSummary, ItemTable, PaperItem } from "../item";
import { paperNumber, paperNumbers, selectNumbers } from "../numbers";
import { accuracies, gainsOver, percent, placeOf, SGD_BASELINE, type EpochChoice } from "./accuracies";
import { noiseMethods } from "./methods";
import { describeCompute, describeNoiseRuns, noisePlan, noiseRates, noiseRows, settingsNotes, type NoiseRow } from "./runs";
import { aboveEverywhere, bestRival, rivalClaims, sgdClaims, table4Claims, table4Remarks } from "./table4Claims";

/** Table 4: wrong labels. */
export const table4: PaperItem<NoiseRow> = {
  id: "table-4",
  title: "Table 4",
  claim:
    "Against wrong labels SAM, with nothing added, beats every method made for them but MentorMix; bootstrapped SAM equals that.",
  describe: describeNoiseRuns,
  plan: noisePlan,
  rows: noiseRows,
  claims: table4Claims,
  remarks: table4Remarks,
  table: tableOf,
  figure: figureOf,
  summary: summarize,
};

interface Line {
  /** The printed name. */
  readonly name: string;
  /** Its name in data/paper/table-4.json. */
  readonly paper?: string;
  /** Its name in noiseMethods; absent if it was not trained here. */
  readonly method?: string;
}

/** The paper's rows in its order, ours beside them, then ours that it does not have. */
function linesOf(): Line[] {
  const printed = [...new Set(paperNumbers("table-4").rows.map(({ method }) => String(method)))];
  const listed = printed.flatMap((paper) => {
    const ours = noiseMethods.filter((method) => method.paper === paper);
    return ours.length === 0 ? [{ name: paper, paper }] : ours.map(({ name }) => ({ name, paper, method: name }));
  });
  const extra = noiseMethods.filter(({ paper }) => paper === undefined);
  return [...listed, ...extra.map(({ name }) => ({ name: `${name}, extra`, method: name }))];
}

/** Accuracy by method and noise rate: the paper's, ours after the last epoch, ours at the best. */
function tableOf(runs: readonly NoiseRow[], budget: Budget): ItemTable {
  const rates = noiseRates(budget);
  const lines = linesOf();
  const rows = lines.map((line) => ({
    method: line.name,
    ...Object.fromEntries(rates.flatMap((rate) => cellsOf(line, rate, runs))),
  }));
  const columns = rates.flatMap((rate) => [
    [`paper${rate}`, `${percent(rate)} · paper`],
    [`last${rate}`, `${percent(rate)} · ours, last epoch`],
    [`best${rate}`, `${percent(rate)} · ours, best epoch`],
  ]);
  return {
    rows,
    title: "Table 4: accuracy in per cent on clean test images after training with wrong labels. Paper: CIFAR-10; ours: as below",
    columns: { method: "method", ...Object.fromEntries(columns) },
    strong: (row, field) => field.startsWith("last") && row[field] === highest(rows, field),
    footnotes: runFootnotes({
      budget,
      seeds: new Set(runs.map(({ seed }) => seed)).size,
      paperSpread: paperNumbers("table-4").spread,
      notes: [
        `${describeNoiseRuns(budget)}.`,
        `Compute: ${describeCompute(budget)}.`,
        ...choices(runs),
        toldTheRate,
        deviationNote(),
        verdictNote,
        ...settingsNotes(budget),
        boldNote(lines),
      ],
    }),
  };
}

function cellsOf({ paper, method }: Line, noiseRate: number, runs: readonly NoiseRow[]): [string, string | undefined][] {
  const [printed] = paper === undefined ? [] : selectNumbers(paperNumbers("table-4"), { method: paper, noiseRate });
  const ours = (epoch: EpochChoice) => {
    const values = method === undefined ? [] : accuracies(runs, { method, noiseRate }, epoch);
    return values.length === 0 ? undefined : formatEstimate(estimate(values), { scale: 100, decimals: 1 });
  };
  return [
    [`paper${noiseRate}`, printed?.value.toFixed(1)],
    [`last${noiseRate}`, ours("last")],
    [`best${noiseRate}`, ours("best")],
  ];
}

function highest(rows: readonly TableRow[], field: string): string | undefined {
  const texts = rows.flatMap((row) => row[field] ?? []).map(String);
  return texts.reduce<string | undefined>((a, b) => (a && parseFloat(a) >= parseFloat(b) ? a : b), undefined);
}

/** "SAM: ρ 0.2 | ρ 0.2 | ρ 0.1", or one value if it is the same at each noise rate: a note, so that the table stays readable. */
function choices(runs: readonly NoiseRow[]): string[] {
  const listed = noiseMethods.flatMap(({ name }) => {
    const mine = runs.filter((row) => row.method === name && row.choice !== "");
    const byRate = [...new Map(mine.map(({ noiseRate, choice }) => [noiseRate, choice])).values()];
    if (byRate.length === 0) return [];
    return [`${name}: ${new Set(byRate).size === 1 ? byRate[0] : byRate.join(" | ")}`];
  });
  return listed.length === 0 ? [] : [`Chosen on clean held-out images, by noise rate if it differs: ${listed.join("; ")}.`];
}

const toldTheRate =
  "Told the noise rate: forward correction, co-teaching, and MentorMix by its authors' settings for each rate; the others are not.";

function deviationNote(): string {
  const listed = noiseMethods.flatMap(({ name, deviation }) => (deviation === undefined ? [] : [`${name}: ${deviation}`]));
  return `Departures from the methods' papers: ${listed.join("; ")}. All methods share our network, schedule and number of epochs.`;
}

function boldNote(lines: readonly Line[]): string {
  const missing = lines.filter(({ method }) => method === undefined).map(({ name }) => name);
  return `Bold: the highest after the last epoch. Extra: not in the paper's table. Not trained here: ${missing.join(", ")}.`;
}

/** Methods from the highest accuracy after the last epoch down, SAM and SGD in their colors, the paper's numbers beside them. */
function figureOf(runs: readonly NoiseRow[], budget: Budget): FigureSpec {
  const rates = noiseRates(budget);
  const accuracy = ({ method }: Line) =>
    rates.reduce((sum, noiseRate) => sum + estimate(accuracies(runs, { method: method!, noiseRate })).mean, 0);
  const trained = linesOf().filter(({ method }) => rates.every((noiseRate) => trainedAt(runs, { method, noiseRate })));
  const lines = [...trained].sort((a, b) => accuracy(b) - accuracy(a));
  return dotIntervals({
    title: titleOf(runs),
    subtitle: `Accuracy on clean test images, mean and 95 % interval; gray numbers: the paper's, on CIFAR-10. ${describeNoiseRuns(budget)}.`,
    xTitle: "accuracy (%)",
    rows: rates.flatMap((noiseRate) => lines.flatMap((line) => pointsOf(line, noiseRate, runs))),
    notes: rates.flatMap((noiseRate) => lines.flatMap((line) => paperNotes(line, noiseRate))),
    series: [...ownSeries, "other methods"],
    highlight: ["SAM", "SGD"],
  });
}

const ownSeries = ["SAM", "SGD", "SGD, twice the epochs"];

function trainedAt(runs: readonly NoiseRow[], { method, noiseRate }: { method?: string; noiseRate: number }): boolean {
  return method !== undefined && accuracies(runs, { method, noiseRate }).length > 0;
}

function paperNotes({ method, paper }: Line, noiseRate: number): LineNote[] {
  const [printed] = paper === undefined ? [] : selectNumbers(paperNumbers("table-4"), { method: paper, noiseRate });
  return printed ? [{ row: method!, panel: `${percent(noiseRate)} noise`, text: printed.value.toFixed(1) }] : [];
}

function pointsOf({ method }: Line, noiseRate: number, runs: readonly NoiseRow[]): DotInterval[] {
  const series = ownSeries.find((name) => name === method) ?? "other methods";
  return (["last", "best"] as const).map((epoch) => {
    const place = { row: method!, series, style: `${epoch} epoch`, panel: `${percent(noiseRate)} noise` };
    return { ...place, ...inPercent(estimate(accuracies(runs, { method: method!, noiseRate }, epoch))) };
  });
}

function titleOf(runs: readonly NoiseRow[]): string {
  const all = sgdClaims(runs);
  // One seed decides nothing: its result is reported as that of one seed.
  const oneSeed = all.some(({ verdict }) => verdict === "one seed");
  const higher = gainsOver(runs, { method: "SAM", baseline: SGD_BASELINE }).filter(({ gain }) => gain.mean > 0).map(({ noiseRate }) => placeOf(noiseRate)); // prettier-ignore
  const wins = oneSeed ? higher : all.filter(({ verdict }) => verdict === "yes").map(({ where }) => where!);
  if (wins.length === 0) return "Here SAM does not beat SGD after training with wrong labels";
  const places = wins.length === all.length ? "" : ` at ${wins.map((place) => place.replace("at ", "")).join(", ")} noise`;
  const better = aboveEverywhere(runs);
  const more = better.length === 0 ? "" : `; ${better.join(" and ")} keep${better.length === 1 ? "s" : ""} more`;
  return `Trained on wrong labels to the end, SAM keeps accuracy that SGD loses${places}${oneSeed ? " (one seed)" : ""}${more}`;
}

const at40 = 0.4;

/** After the last epoch at 40 % noise: against SGD, and against the paper's other methods. */
function summarize(runs: readonly NoiseRow[]): ItemSummary {
  const [sam, sgd] = ["SAM", SGD_BASELINE].map((method) => accuracies(runs, { method, noiseRate: at40 })) as [number[], number[]];
  const printed = (method: string) => paperNumber(paperNumbers("table-4"), { method, noiseRate: at40 }).value.toFixed(1);
  const text = (values: readonly number[]) => formatEstimate(estimate(values), { scale: 100 });
  const [name, best] = bestRival(runs, at40);
  return {
    paper: `at 40 % noise: SAM ${printed("sam")}, SGD ${printed("sgd")}, M-correction ${printed("M-correction")} % accuracy`,
    ours: `SAM ${text(sam)}, SGD ${text(sgd)}, ${name} ${text(best)} % accuracy`,
    seeds: sam.length,
    claims: [...sgdClaims(runs), ...rivalClaims(runs)].filter(({ where }) => where === placeOf(at40)),
  };
}
