/** Figure 2: one step of SGD and one of SAM, on a loss of two weights. The paper's is a schematic; ours is computed. */
import { addScaledWeights, addWeights, disposeWeights, flattenWeights, tf, valueAndGradient, type Weights } from "../engine";
import { epsilonHat, samGradient } from "../optim";
import { samStep, type FigureSpec } from "../plots";
import { quadratic } from "../sharpness";
import type { ItemTable, PaperItem } from "./item";

/** Ours: eigenvalues 1.2 and 0.2, and a start from which the two steps part visibly. */
const setting = {
  matrix: [
    [1, -0.4],
    [-0.4, 0.4],
  ],
  weights: [-1, -1.5],
  rho: 0.8,
  learningRate: 0.8,
} as const satisfies Setting;

interface Setting {
  /** A of the loss ½wᵀAw. */
  readonly matrix: readonly [readonly [number, number], readonly [number, number]];
  readonly weights: readonly [number, number];
  readonly rho: number;
  readonly learningRate: number;
}

/** A point of the figure. */
export interface StepPoint {
  readonly point: "w" | "w + ε̂" | "after SGD's step" | "after SAM's step";
  readonly weights: readonly number[];
  readonly loss: number;
  readonly gradient: readonly number[];
}

/** Figure 2: one step of SGD and one of SAM. */
export const figure2: PaperItem<StepPoint> = {
  id: "figure-2",
  title: "Figure 2",
  withoutRuns: true,
  claim: "SAM steps down the gradient of the point to which it first ascends.",
  describe: () => "both steps computed on a quadratic of two weights; nothing is trained",
  plan: () => [],
  rows: () => stepPoints(setting),
  claims: () => [],
  remarks: remarksOf,
  table: tableOf,
  figure: figureOf,
  summary: (rows) => ({ paper: "a schematic", ours: `computed: ${angleText(rows)}`, claims: [] }),
};

/** w, w + ε̂ (eq. 2), and where w − η∇L(w) and w − η∇L(w + ε̂) (eq. 3) lead, by the functions that train networks. */
export function stepPoints({ matrix, weights: start, rho, learningRate }: Setting): StepPoint[] {
  const bowl = quadratic(matrix);
  const gradientAt = (weights: Weights) => valueAndGradient(bowl.value, weights).gradient;
  let points: StepPoint[] = [];
  tf.tidy(() => {
    const { weights } = bowl.at(start);
    const gradient = gradientAt(weights);
    const after = (direction: Weights) => addScaledWeights(weights, direction, -learningRate);
    const all = {
      w: weights,
      "w + ε̂": addWeights(weights, epsilonHat(gradient, { rho })),
      "after SGD's step": after(gradient),
      "after SAM's step": after(samGradient(gradientAt, weights, { rho })),
    };
    points = Object.entries(all).map(([point, at]) => {
      const { value, gradient } = valueAndGradient(bowl.value, at);
      const numbers = (each: Weights) => Array.from(flattenWeights(each));
      return { point, weights: numbers(at), loss: value.dataSync()[0]!, gradient: numbers(gradient) } as StepPoint;
    });
  });
  disposeWeights({ x: bowl.data.x, y: bowl.data.y });
  return points;
}

function pointOf(rows: readonly StepPoint[], name: StepPoint["point"]): StepPoint {
  return rows.find(({ point }) => point === name)!;
}

/** The angle between the two steps, in degrees. */
function angleOf(rows: readonly StepPoint[]): number {
  const [g, gAdv] = [pointOf(rows, "w").gradient, pointOf(rows, "w + ε̂").gradient];
  const dot = g.reduce((sum, value, i) => sum + value * gAdv[i]!, 0);
  return (180 / Math.PI) * Math.acos(dot / (Math.hypot(...g) * Math.hypot(...gAdv)));
}

function angleText(rows: readonly StepPoint[]): string {
  return `the steps of SGD and SAM part by ${angleOf(rows).toFixed(0)}°`;
}

function remarksOf(rows: readonly StepPoint[]): string[] {
  const [w, adv, sgd, sam] = rows.map(({ loss }) => loss.toFixed(2));
  return [
    `At ρ = ${setting.rho} and η = ${setting.learningRate}, ${angleText(rows)}. The loss is ${w} at w, ${adv} at w + ε̂, ${sgd} after SGD's step and ${sam} after SAM's.`,
  ];
}

function tableOf(rows: readonly StepPoint[]): ItemTable {
  const pair = (values: readonly number[]) => `(${values.map((value) => value.toFixed(3).replace("-", "−")).join(", ")})`;
  const { rho, learningRate } = setting;
  return {
    rows: rows.map(({ point, weights, loss, gradient }) => ({
      point,
      weights: pair(weights),
      loss: loss.toFixed(3),
      gradient: pair(gradient),
    })),
    title: "Figure 2: one step of SGD and one of SAM",
    columns: { point: "point", weights: "weights", loss: "loss", gradient: "gradient" },
    footnotes: [
      `The loss is ½wᵀAw with A = (1 −0.4; −0.4 0.4); ρ = ${rho}, η = ${learningRate}. The paper's figure has no numbers.`,
    ],
  };
}

function figureOf(rows: readonly StepPoint[]): FigureSpec {
  return samStep({
    title: "SAM steps down the gradient of the point to which it first ascends",
    subtitle: `Level sets of a quadratic of two weights, ρ = ${setting.rho}, η = ${setting.learningRate}: here ${angleText(rows)}.`,
    ...setting,
  });
}
