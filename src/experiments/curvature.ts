/** Curvature measured along a run's training: spectra of the Hessian, the loss surface at the end, and the finished network's m-sharpness. */
import {
  hessianOperator,
  lambdaMax,
  lambdaMaxOverLambda5,
  lanczosQuadrature,
  mSharpness,
  randomPlane,
  type ModelAt,
} from "../sharpness";
import { subset, type Dataset } from "../data";
import type { RunConfig } from "./config";
import type { RunRecord } from "./records";

/** A spectrum by stochastic Lanczos quadrature, and the largest eigenvalues by Lanczos, each with its error. */
export interface MeasuredSpectrum {
  readonly epoch: number;
  /** (5) largest first */
  readonly eigenvalues: readonly number[];
  /** (5) ‖Hv − λv‖ of each: an eigenvalue lies within it */
  readonly residuals: readonly number[];
  readonly lambdaMaxOverLambda5: number;
  /** (numProbes, lanczosSteps) */
  readonly nodes: readonly (readonly number[])[];
  /** (numProbes, lanczosSteps) rows sum to 1 */
  readonly weights: readonly (readonly number[])[];
}

/** Loss on the plane of two filter-normalized random directions. */
export interface MeasuredSurface {
  /** (points) */
  readonly x: readonly number[];
  /** (points) */
  readonly y: readonly number[];
  /** (y, x) */
  readonly loss: readonly (readonly number[])[];
}

/** λmax and its error. */
export interface MeasuredLambdaMax {
  readonly lambdaMax: number;
  /** ‖Hv − λv‖: an eigenvalue lies within it */
  readonly residual: number;
}

/** Curvature of a trained network, as a record keeps it. */
export interface MeasuredCurvature {
  readonly spectrum?: MeasuredSpectrum;
  readonly surface?: MeasuredSurface;
  readonly final?: MeasuredLambdaMax;
}

type Options = NonNullable<RunConfig["curvature"]> & {
  readonly epoch: number;
  readonly epochs: number;
  /** Stops between two batches of a product or a point. */
  readonly signal?: AbortSignal;
};

/** The measurements that the config asks for after this epoch; undefined if there are none. */
export async function measureCurvature(
  network: ModelAt,
  dataset: Dataset,
  options: Options,
): Promise<MeasuredCurvature | undefined> {
  const { epoch, epochs, spectrumEpochs, surfacePoints, finalLambdaMax } = options;
  const wantsSpectrum = spectrumEpochs.includes(epoch);
  const wantsSurface = surfacePoints > 0 && epoch === epochs;
  const wantsLambdaMax = finalLambdaMax && epoch === epochs;
  if (!wantsSpectrum && !wantsSurface && !wantsLambdaMax) return undefined;
  return {
    ...(wantsSpectrum ? { spectrum: await measureSpectrum(network, dataset, options) } : {}),
    ...(wantsSurface ? { surface: await measureSurface(network, dataset, options) } : {}),
    ...(wantsLambdaMax ? { final: await measureLambdaMax(network, dataset, options) } : {}),
  };
}

async function measureSpectrum(network: ModelAt, dataset: Dataset, options: Options): Promise<MeasuredSpectrum> {
  const { epoch, numProbes, lanczosSteps, probeSeed: seed, signal } = options;
  const operator = hessianOperator(network, dataset);
  const { nodes, weights } = await lanczosQuadrature(operator, { numProbes, lanczosSteps, seed, signal });
  const top = await lambdaMaxOverLambda5(operator, { lanczosSteps, seed, signal });
  return {
    epoch,
    eigenvalues: top.eigenvalues.map(short),
    residuals: top.residuals.map(short),
    lambdaMaxOverLambda5: short(top.ratio),
    nodes: nodes.map((row) => row.map(short)),
    weights: weights.map((row) => row.map(short)),
  };
}

async function measureSurface(
  network: ModelAt,
  dataset: Dataset,
  { surfacePoints, probeSeed, signal }: Options,
): Promise<MeasuredSurface> {
  const { x, y, loss } = await randomPlane(network, dataset, { gridPoints: surfacePoints, seed: probeSeed, signal });
  return { x, y, loss: loss.map((row) => row.map(short)) };
}

/** m → m-sharpness of the network on the first training images. */
export async function measureMSharpness(
  network: ModelAt,
  dataset: Dataset,
  { ms, rho, images, blockSeed: seed, signal }: NonNullable<RunConfig["mSharpness"]> & { readonly signal?: AbortSignal },
): Promise<Readonly<Record<string, number>>> {
  const size = images === 0 ? dataset.size : Math.min(images, dataset.size);
  const data = size === dataset.size ? dataset : subset(dataset, Int32Array.from({ length: size }, (_, i) => i)); // prettier-ignore
  const measured: Record<string, number> = {};
  for (const m of ms) measured[m] = short((await mSharpness(network, data, { m, rho, seed, signal })).sharpness);
  return measured;
}

async function measureLambdaMax(network: ModelAt, dataset: Dataset, options: Options): Promise<MeasuredLambdaMax> {
  const { lanczosSteps, probeSeed: seed, signal } = options;
  const top = await lambdaMax(hessianOperator(network, dataset), { lanczosSteps, seed, signal, tolerance: 0.01 }); // ours
  return { lambdaMax: short(top.lambdaMax), residual: short(top.residual) };
}

// Six digits are all that float32 products carry.
function short(value: number): number {
  return Number(value.toPrecision(6));
}

/** The spectra in a record, in the order of their epochs. */
export function spectraOf(record: RunRecord): MeasuredSpectrum[] {
  return record.history.flatMap(({ measures }) => (measures as MeasuredCurvature | undefined)?.spectrum ?? []);
}

/** The loss surface in a record; undefined if its run measured none. */
export function surfaceOf(record: RunRecord): MeasuredSurface | undefined {
  return record.history.map(({ measures }) => (measures as MeasuredCurvature | undefined)?.surface).find(Boolean);
}

/** λmax at the end of a record's run; undefined if it was not measured. */
export function finalLambdaMaxOf(record: RunRecord): number | undefined {
  return record.history.map(({ measures }) => (measures as MeasuredCurvature | undefined)?.final?.lambdaMax).find(Boolean);
}
