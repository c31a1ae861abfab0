/** Table 11: test error and found sharpness of SAM with 1, 2, 3 and 5 projected ascent steps. */
import { datasetFacts, type DatasetName } from "../../experiments/datasets";
import { countOf } from "../../experiments/plan";
import { estimate, formatEstimate, pairedDifference, type SeedMean, type SeedValue } from "../../experiments/statistics";
import { learningCurves, type CurvePoint, type FigureSpec } from "../../plots";
import type { TableRow } from "../../tables";
import { verdictsOn, type Claim } from "../claims";
import type { Budget, ItemSummary, ItemTable, PaperItem } from "../item";
import { paperNumber, paperNumbers, type PaperNumber } from "../numbers";
import { atEnd, bySeed, meanCurves } from "./alongTraining";
import { ascentNotes, ascentRows, ascentRuns, datasetsOf, describeAscentRuns, stepCounts, type AscentRow } from "./ascentRuns";

/** Table 11: test error by number of ascent steps. */
export const table11: PaperItem<AscentRow> = {
  id: "table-11",
  title: "Table 11",
  claim: "More ascent steps find sharper points, and the test error stays as it is.",
  describe: describeAscentRuns,
  plan: (budget) => ascentRuns(budget),
  rows: (budget, records) => lastOf(ascentRows(budget, records)),
  claims: claimsOf,
  remarks: remarksOf,
  table: tableOf,
  figure: figureOf,
  summary: summarize,
};

/** Each data set's rows at the end of training: one for each run. */
function lastOf(rows: readonly AscentRow[]): AscentRow[] {
  return datasetsOf(rows).flatMap((dataset) => atEnd(rows.filter((row) => row.dataset === dataset)));
}

type Measure = "testErrorRate" | "sharpness";

function valuesOf(rows: readonly AscentRow[], ascentSteps: number, measure: Measure): SeedValue[] {
  return bySeed(
    rows.filter((row) => row.ascentSteps === ascentSteps),
    (row) => row[measure],
  );
}

interface Rise {
  readonly dataset: string;
  readonly from: number;
  readonly to: number;
  readonly rise: SeedMean;
}

/** From each number of steps to the next, seed by seed. */
function risesOf(rows: readonly AscentRow[], measure: Measure, pairs: readonly (readonly [number, number])[]): Rise[] {
  return datasetsOf(rows).flatMap((dataset) => {
    const own = rows.filter((row) => row.dataset === dataset);
    return pairs.flatMap(([from, to]) => {
      const [before, after] = [valuesOf(own, from, measure), valuesOf(own, to, measure)];
      return before.length > 0 && after.length > 0 ? [{ dataset, from, to, rise: pairedDifference(after, before) }] : [];
    });
  });
}

const neighbors = stepCounts.slice(1).map((to, i) => [stepCounts[i]!, to] as const);
const againstOne = stepCounts.slice(1).map((to) => [stepCounts[0], to] as const);

const inPoints = (effect: SeedMean) => formatEstimate(effect, { scale: 100 });

function claimsOf(rows: readonly AscentRow[]): Claim[] {
  const rises = risesOf(rows, "sharpness", neighbors);
  const verdicts = verdictsOn(rises.map(({ rise }) => rise));
  const several = datasetsOf(rows).length > 1;
  const evidence = `The rise of the batch error that is found grows by ${rises.map((each) => riseText(each, several)).join(", ")}.`;
  return rises.map((each, i) => ({
    statement: "more ascent steps find a sharper point",
    where: `from ${each.from} to ${each.to}${several ? ` on ${titleOfDataset(each.dataset)}` : ""}`,
    verdict: verdicts[i]!,
    evidence,
  }));
}

function riseText({ dataset, from, to, rise }: Rise, several: boolean): string {
  return `${inPoints(rise)} points from ${from} to ${to} ${several ? `steps on ${titleOfDataset(dataset)}` : "steps"}`;
}

function titleOfDataset(name: string): string {
  return datasetFacts[name as DatasetName].title;
}

/** "No effect" cannot be shown by a test: the intervals say how large one may be. */
function remarksOf(rows: readonly AscentRow[]): string[] {
  return datasetsOf(rows).flatMap((dataset) => {
    const changes = risesOf(rows.filter((row) => row.dataset === dataset), "testErrorRate", againstOne); // prettier-ignore
    if (changes.length === 0) return [];
    const listed = changes.map(({ to, rise }) => `${inPoints(rise)} points with ${to} steps`);
    return [
      `On ${titleOfDataset(dataset)} the test error differs from that of one step by ${listed.join(", ")}. ` +
        "That it stays exactly the same cannot be shown by runs; the intervals bound the difference.",
    ];
  });
}

/** As the paper prints it: mean ± standard deviation. */
function tableOf(rows: readonly AscentRow[], budget: Budget): ItemTable {
  const numbers = paperNumbers("table-11");
  const own = datasetsOf(rows).flatMap((dataset) =>
    (["testErrorRate", "sharpness"] as const).map((measure) => ({ dataset, measure, name: `ours ${dataset} ${measure}` })),
  );
  const printed = ["cifar-10", "cifar-100"].flatMap((dataset) =>
    (["testErrorRate", "sharpness"] as const).map((measure) => ({ dataset, measure, name: `paper ${dataset} ${measure}` })),
  );
  const heading = (source: string, { dataset, measure }: { dataset: string; measure: Measure }) =>
    `${source}, ${titleOfDataset(dataset)} · ${measure === "sharpness" ? "sharpness" : "test error"}`;
  return {
    rows: stepCounts.map(
      (ascentSteps): TableRow => ({
        ascentSteps,
        ...Object.fromEntries(
          printed.map(({ dataset, measure, name }) => [name, paperCell(paperNumber(numbers, { dataset, measure, ascentSteps }))]),
        ),
        ...Object.fromEntries(own.map(({ dataset, measure, name }) => [name, ourCell(rows, { dataset, measure, ascentSteps })])),
      }),
    ),
    title: "Table 11: test error (%) and found sharpness (points of batch error), by number of ascent steps",
    columns: {
      ascentSteps: "steps",
      ...Object.fromEntries(printed.map((column) => [column.name, heading("paper", column)])),
      ...Object.fromEntries(own.map((column) => [column.name, heading("ours", column)])),
    },
    footnotes: [
      `paper: mean ± ${numbers.spread}.`,
      `ours: mean ± standard deviation over ${countOf(new Set(rows.map(({ seed }) => seed)).size, "seed")}; budget "${budget}".`,
      `${describeAscentRuns(budget)}.`,
      "Verdicts: Student's t on the differences seed by seed, at 5 % for all comparisons together (Holm).",
      ...ascentNotes(budget),
    ],
  };
}

function paperCell({ value, interval }: PaperNumber): string {
  return formatEstimate({ mean: value, interval });
}

function ourCell(
  rows: readonly AscentRow[],
  { dataset, measure, ascentSteps }: { dataset: string; measure: Measure; ascentSteps: number },
): string | undefined {
  const values = valuesOf(rows.filter((row) => row.dataset === dataset), ascentSteps, measure); // prettier-ignore
  if (values.length === 0) return undefined;
  const { mean, std } = estimate(values.map(({ value }) => value));
  return formatEstimate({ mean, interval: std }, { scale: 100 });
}

const panels: Readonly<Record<Measure, string>> = { testErrorRate: "test error (%)", sharpness: "found sharpness (points)" };

function figureOf(rows: readonly AscentRow[], budget: Budget): FigureSpec {
  const ours = rows.flatMap((row) =>
    (["testErrorRate", "sharpness"] as const).map((measure) => ({
      ...{
        x: row.ascentSteps,
        series: `ours, ${titleOfDataset(row.dataset)}`,
        panel: panels[measure],
        value: 100 * row[measure],
      },
    })),
  );
  return learningCurves({
    title: titleOf(rows),
    subtitle: `By number of ascent steps, with 95 % intervals for ours. Paper: WideResNet. Ours: ${describeAscentRuns(budget)}.`,
    rows: [...paperCurves(), ...meanCurves(ours)],
    xTitle: "ascent steps",
    yTitle: "",
    panels: Object.values(panels),
    independentY: true,
  });
}

function paperCurves(): CurvePoint[] {
  return paperNumbers("table-11").rows.map(({ dataset, ascentSteps, measure, value }) => ({
    ...{ x: Number(ascentSteps), series: `paper, ${titleOfDataset(String(dataset))}`, mean: value },
    panel: panels[measure as Measure],
  }));
}

function titleOf(rows: readonly AscentRow[]): string {
  const verdicts = claimsOf(rows).map(({ verdict }) => verdict);
  if (verdicts.length > 0 && verdicts.every((verdict) => verdict === "yes")) return "More ascent steps find sharper points";
  if (verdicts.includes("one seed")) return "One seed: test error and found sharpness by number of ascent steps";
  const yes = verdicts.filter((verdict) => verdict === "yes").length;
  return `More ascent steps find a sharper point in ${yes} of ${verdicts.length} comparisons`;
}

/** Both ends of the paper's and of our first data set. */
function summarize(rows: readonly AscentRow[]): ItemSummary {
  const [dataset] = datasetsOf(rows);
  const numbers = paperNumbers("table-11");
  const ends = [stepCounts[0], stepCounts[stepCounts.length - 1]!];
  const line = (name: string, cell: (measure: Measure, ascentSteps: number) => string | undefined) =>
    `${name}: ${ends.map((count) => `${count} step${count === 1 ? "" : "s"} ${cell("testErrorRate", count)} % error, ${cell("sharpness", count)} sharpness`).join("; ")}`;
  return {
    paper: line("CIFAR-10", (measure, ascentSteps) =>
      paperCell(paperNumber(numbers, { dataset: "cifar-10", measure, ascentSteps })),
    ),
    ours: line(titleOfDataset(dataset!), (measure, ascentSteps) => ourCell(rows, { dataset: dataset!, measure, ascentSteps })),
    seeds: new Set(rows.map(({ seed }) => seed)).size,
    claims: claimsOf(rows),
  };
}
