/** The set-up's plain modules, as tests call them. */
import path from "node:path";
import { pathToFileURL } from "node:url";

/** For programs that import a module themselves. */
export function moduleUrl(name: string): string {
  return pathToFileURL(path.join(__dirname, "../../src/setup", `${name}.mjs`)).href;
}

// A computed name: the modules have no declarations.
const load = <Module>(name: string): Promise<Module> => import(moduleUrl(name));

export interface Step {
  readonly name: string;
  readonly doing: string;
  there(): string | undefined;
  make(): Promise<string>;
}

export interface StepResult {
  readonly name: string;
  readonly status: "there" | "done" | "failed";
  readonly detail: string;
}

export interface StepOptions {
  root: string;
  print?: (text: string) => void;
  verbose?: boolean;
  retry?: boolean;
}

interface Failure {
  new (message: string, options?: { fatal?: boolean; network?: boolean }): Error;
}

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

type Packages = Record<string, { version?: string; optional?: boolean }>;

export const steps = (): Promise<{
  runSteps(steps: Step[], options: StepOptions): Promise<StepResult[]>;
  StepFailure: Failure;
}> => load("steps");

export const packages = (): Promise<{
  lockDifferences(wanted: Packages, installed: Packages): string[];
  npmError(output: string): string;
  packagesStep(root: string): Step;
}> => load("packages");

export const python = (): Promise<{
  pythonMinor(version: string): number;
  pipError(stderr: string): string;
  cudaRequirements(metadata: string): string[];
  jupyterStep(root: string): Step;
  tensorflowStep(root: string): Step;
}> => load("python");

export const binding = (): Promise<{
  bindingStep(root: string): Step;
  engineEnvironment(root: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv;
}> => load("binding");

export const kernel = (): Promise<{
  kernelSpec(root: string): { argv: string[]; language: string; env: Record<string, string> };
  kernelStep(root: string): Step;
}> => load("kernel");

export const link = (): Promise<{ linkStep(root: string): Step }> => load("link");

export const fashionMnist = (): Promise<{
  archivesIn(text: string): string[];
  contentSum(bytes: Uint8Array): string | undefined;
  missingFiles(folder: string): string[];
  fashionMnistStep(root: string): Step;
}> => load("fashionMnist");

export const build = (): Promise<{ buildStep(root: string): Step }> => load("build");

export const counts = (): Promise<{
  mochaCounts(stats: Counts | undefined, code: number): Counts;
  sumCounts(counts: Counts[]): Counts;
  summaryLine(counts: Counts): string;
}> => load("counts");

export const setup = (): Promise<{
  checkNode(version: string): void;
  missingSteps(root: string): string[];
  setUp(options: object): Promise<StepResult[]>;
}> => load("setup");
