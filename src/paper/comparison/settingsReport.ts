/** Tables 6 and 7: the paper's hyper-parameters, what our runs have of them, and the ρ as a picture. */
import { titleOfDataset } from "./paperRows";
import { mostFrequent, settingsRows, type Settings, type SettingsItem } from "./settingsTables";
import { dotIntervals } from "../../plots";
import type { MakeContent } from "../itemContent";
import type { ResultSummary } from "../readmeTable";
import type { TableRow } from "../../tables";

export function settingsContent(item: SettingsItem): MakeContent {
  return () => {
    const rows = settingsRows(item);
    const { value, count } = mostFrequent(rows.map(({ rho }) => rho));
    const trained = item.of.title;
    return {
      rows: rows.map(rowOf),
      table: {
        title: `${item.title}: the paper's hyper-parameters, and the runs of ${trained} that are trained with them`,
        columns: {
          dataset: "data",
          model: "network",
          ...(rows.some(({ epochs }) => epochs) ? { epochs: "epochs" } : {}),
          learningRate: "paper · learning rate",
          weightDecay: "paper · weight decay",
          rho: "paper · SAM's ρ",
          batchSize: "paper · batch",
          runs: 'runs at budget "paper" · number',
          epochsOfRuns: 'runs at budget "paper" · epochs of SAM',
          m: 'runs at budget "paper" · m',
        },
        footnotes: [
          "Cosine schedule, momentum 0.9, and m = batch / 8, since eight devices shared a batch (paper Sec. 3.1 and its footnote 5).",
          "number: augmentations × SGD, SGD at twice the epochs, SAM × 5 seeds. Epochs where the paper's table names none are ours.",
        ],
      },
      figure: dotIntervals({
        title: `The paper's ρ is ${value} in ${count} of ${rows.length} settings`,
        subtitle: `${item.title}: ρ for each data set and network`,
        xTitle: "ρ",
        rows: rows.map((row) => ({ row: nameOf(row), series: titleOfDataset(row.dataset), mean: row.rho })),
      }),
    };
  };
}

function nameOf({ model, epochs }: Settings): string {
  return epochs === undefined ? model : `${model}, ${epochs} epochs`;
}

function rowOf({ conditions, dataset, ...settings }: Settings): TableRow {
  const distinct = (values: readonly (number | undefined)[]) => [...new Set(values)].join(", ");
  return {
    dataset: titleOfDataset(dataset),
    ...settings,
    epochsOfRuns: distinct(conditions.map(({ config }) => config.training.epochs)),
    m: distinct(conditions.map(({ config }) => config.training.m)),
  };
}

/** The README's line. */
export function summarizeSettings(item: SettingsItem): ResultSummary {
  const total = settingsRows(item).reduce((sum, { runs }) => sum + runs, 0);
  return {
    paper: item.conclusions("paper", [])[0]!.replace(/\.$/, ""),
    ours: `the settings of ${total} runs of ${item.of.title}`,
    budget: "paper",
    agrees: "no claim",
  };
}
