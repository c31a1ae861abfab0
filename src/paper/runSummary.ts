/** One run as Markdown for a reader: its outcome, the settings that differ from their defaults, and its course. */
import { withoutDefaults } from "../experiments/config";
import type { RunRecord } from "../experiments/records";
import type { EpochRecord } from "../training";
import { toMarkdown, type TableRow } from "../tables";

/** Options of `runSummary`. */
export interface RunSummaryOptions {
  /** Rows of the table of epochs, evenly spaced, with the last epoch among them; default 12. */
  readonly maxRows?: number;
}

/** A heading, the outcome in a sentence, the settings, and a table of epochs. */
export function runSummary(record: RunRecord, { maxRows = 12 }: RunSummaryOptions = {}): string {
  const { key, history, versions } = record;
  const { lab, engine, threads } = versions;
  return [
    `# Run ${key}`,
    outcome(record),
    settings(record),
    toMarkdown(spread(history, maxRows).map(epochRow), { columns: headings(history) }),
    `sharpness-lab ${lab}, engine ${engine}, threads: ${threads}`,
  ].join("\n\n");
}

function outcome({ metrics, config, history }: RunRecord): string {
  const { divergedInEpoch, testErrorRate, bestTestErrorRate, bestEpoch, trainErrorRate, actualNoiseRate } = metrics;
  const last = history.at(-1)?.epoch ?? 0;
  const sentences = [
    divergedInEpoch === undefined
      ? `Finished after ${last} of ${config.training.epochs} epochs.`
      : `Diverged in epoch ${divergedInEpoch} of ${config.training.epochs}: the loss became infinite or NaN.`,
    testErrorRate !== undefined && `Test error ${percent(testErrorRate)} %`,
    bestTestErrorRate !== undefined && `best ${percent(bestTestErrorRate)} % in epoch ${bestEpoch}`,
    trainErrorRate !== undefined && `training error ${percent(trainErrorRate)} %`,
    actualNoiseRate !== undefined && `${percent(actualNoiseRate)} % of the training labels are wrong`,
  ].filter(Boolean);
  return sentences.length === 1 ? (sentences[0] as string) : `${sentences[0]} ${sentences.slice(1).join("; ")}.`;
}

// Defaults have their sources beside them in the code, so only departures from them are listed.
function settings({ config, metrics }: RunRecord): string {
  const { parameters } = metrics;
  const lines = Object.entries(withoutDefaults(config)).map(([section, fields]) => {
    const list = Object.entries(fields).map(([name, value]) => (name === "name" ? String(value) : `${name} ${show(value)}`));
    const size = section === "model" ? [`${parameters} parameters`] : [];
    return list.length + size.length > 0 ? `- ${section}: ${[...list, ...size].join(", ")}` : "";
  });
  return `Settings that differ from their defaults:\n\n${lines.filter(Boolean).join("\n")}`;
}

function show(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

const columns = {
  epoch: "epoch",
  trainLoss: "training loss",
  perturbedLoss: "at w + ε̂",
  testLoss: "test loss",
  testError: "test error (%)",
  trainError: "training error (%)",
  flippedFitted: "wrong labels fitted (%)",
} as const;

function epochRow({ epoch, trainLoss, perturbedLoss, testLoss, testErrorRate, trainErrorRate, memorization }: EpochRecord) {
  return {
    epoch,
    trainLoss: trainLoss.toFixed(4),
    perturbedLoss: perturbedLoss.toFixed(4),
    testLoss: testLoss?.toFixed(4),
    testError: testErrorRate === undefined ? undefined : percent(testErrorRate),
    trainError: trainErrorRate === undefined ? undefined : percent(trainErrorRate),
    flippedFitted: memorization?.flippedFitted === undefined ? undefined : percent(memorization.flippedFitted),
  } satisfies TableRow;
}

/** Headings of the columns that are not empty. */
function headings(history: readonly EpochRecord[]): Record<string, string> {
  const rows: TableRow[] = history.map(epochRow);
  const always = ["epoch", "trainLoss"];
  return Object.fromEntries(
    Object.entries(columns).filter(([field]) => always.includes(field) || rows.some((row) => row[field] !== undefined)),
  );
}

/** At most `count` elements, evenly spaced backwards from the last. */
function spread<T>(list: readonly T[], count: number): T[] {
  const every = Math.max(1, Math.ceil(list.length / count));
  return list.filter((_, i) => (list.length - 1 - i) % every === 0);
}

function percent(rate: number): string {
  return (100 * rate).toFixed(2);
}
