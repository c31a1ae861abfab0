/** Records of Table 4 at lab, made by hand. */
import { figureMemorization } from "../../src/paper/noise/figureMemorization";
import type { PlannedRun } from "../../src/experiments/plan";
import type { RunRecord } from "../../src/experiments/records";
import { table4 } from "../../src/paper/noise/table4";
import { recordOf, recordsOf } from "./records";

const isTuning = ({ labels }: PlannedRun) => labels.stage === "tuning";

/** Lab records whose runs were evaluated twice; after the second epoch the flipped labels are fitted as `fittedOf` says. */
export function memorizingRecords(fittedOf: (method: string, seed: number) => number): RunRecord[] {
  const tuned = recordsOf(figureMemorization.plan("lab", []).filter(isTuning), () => 0.5);
  const reported = figureMemorization.plan("lab", tuned).filter((run) => !isTuning(run));
  return [
    ...tuned,
    ...reported.map(({ config, labels }) => {
      const flippedFitted = fittedOf(String(labels.method), config.training.seed!);
      const losses = { trainLoss: 1, perturbedLoss: 1 };
      const history = [
        {
          epoch: 2,
          ...losses,
          testErrorRate: 0.3,
          memorization: { flippedFitted: 0.1, flippedCorrected: 0.6, cleanFitted: 0.7 },
        },
        { epoch: 3, ...losses },
        { epoch: 4, ...losses, testErrorRate: 0.4, memorization: { flippedFitted, flippedCorrected: 0.2, cleanFitted: 0.9 } },
      ];
      return { ...recordOf(config, { testErrorRate: 0.4 }), history };
    }),
  ];
}

/** Lab records with an accuracy for each method and noise rate, +2 to −2 points over the five seeds, and −2 to +2 for SAM. */
export function labRecords(accuracyOf: (method: string, noiseRate: number) => number): RunRecord[] {
  const tuned = recordsOf(table4.plan("lab", []).filter(isTuning), () => 0.5);
  const reported = table4.plan("lab", tuned).filter((run) => !isTuning(run));
  const errorOf = ({ labels, config }: PlannedRun) =>
    1 -
    accuracyOf(String(labels.method), Number(labels.noiseRate)) +
    (labels.method === "SAM" ? -0.01 : 0.01) * (config.training.seed! - 2);
  return [...tuned, ...recordsOf(reported, errorOf)];
}
