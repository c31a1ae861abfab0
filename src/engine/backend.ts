/** Choice of the engine: the first available of TensorFlow (native), WebGPU, WASM and plain JavaScript. */
import os from "node:os";
import { nativeFailure, tf, threadsWanted } from "./tf";
import { installWasmKernels } from "./wasm";

/** Names of the engines, as SHARPNESS_BACKEND takes them. */
export type BackendName = "native" | "webgpu" | "wasm" | "cpu";
/** All engines, the fastest first. */
export const BACKENDS: readonly BackendName[] = ["native", "webgpu", "wasm", "cpu"];

/** Which engine runs, and on what. */
export interface EngineInfo {
  readonly backend: BackendName;
  /** TensorFlow's version on the native engine, else TensorFlow.js's. */
  readonly version: string;
  /** "CPU", "GPU", "WebGPU", "WASM" or "JavaScript". */
  readonly devices: string[];
  /** Threads per operation. */
  readonly threads: number;
  readonly gpu: boolean;
  /** Why a faster engine is not running, in one line. */
  readonly note?: string;
}

let started: Promise<EngineInfo> | undefined;

/**
 * Chooses and starts the engine, once; `tf` is ready to use when the promise is fulfilled. (Where the native engine was
 * built, `tf` is ready as soon as it is imported.) The environment variable SHARPNESS_BACKEND forces native, webgpu, wasm
 * or cpu; SHARPNESS_THREADS sets the threads of the native engine.
 *
 * @throws where SHARPNESS_BACKEND names an engine that does not exist or cannot start here
 */
export function ready(): Promise<EngineInfo> {
  return (started ??= start(process.env.SHARPNESS_BACKEND || undefined));
}

async function start(forced: string | undefined): Promise<EngineInfo> {
  if (forced) return startForced(forced);
  const failures: string[] = [];
  for (const name of BACKENDS) {
    try {
      const info = await STARTERS[name]();
      // Only the first failure matters: that engine is the fastest.
      return failures.length === 0 ? info : { ...info, note: `A faster engine is missing: ${failures[0]}.` };
    } catch (error) {
      failures.push(`${name}: ${oneLine(error)}`);
    }
  }
  throw new Error(`no engine starts: ${failures.join("; ")}`);
}

async function startForced(forced: string): Promise<EngineInfo> {
  const name = BACKENDS.find((known) => known === forced);
  if (!name) throw new Error(`SHARPNESS_BACKEND = "${forced}": expected one of ${BACKENDS.join(", ")}`);
  try {
    return await STARTERS[name]();
  } catch (error) {
    throw new Error(`SHARPNESS_BACKEND = "${forced}" does not start here: ${oneLine(error)}`, { cause: error });
  }
}

function oneLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0]!;
}

/** Starts one engine and switches to it. For tests, which compare engines; programs call `ready`. */
export function startEngine(name: BackendName): Promise<EngineInfo> {
  return STARTERS[name]();
}

const STARTERS: Record<BackendName, () => Promise<EngineInfo>> = {
  native: startNative,
  webgpu: startWebGpu,
  wasm: startWasm,
  cpu: startCpu,
};

interface NativeBackend {
  readonly isUsingGpuDevice: boolean;
  readonly binding: { readonly TF_Version: string };
}

async function startNative(): Promise<EngineInfo> {
  if (!tf.findBackend("tensorflow")) throw new Error(nativeFailure ?? "the native engine was not loaded");
  await select("tensorflow");
  const { isUsingGpuDevice: gpu, binding } = tf.backend() as unknown as NativeBackend;
  const threads = threadsWanted() ?? os.availableParallelism();
  return { backend: "native", version: binding.TF_Version, devices: [gpu ? "GPU" : "CPU"], threads, gpu };
}

// Both packages are optional: `npm install webgpu @tensorflow/tfjs-backend-webgpu`.
async function startWebGpu(): Promise<EngineInfo> {
  const dawn = requireOptional("webgpu") as { create(flags: string[]): unknown; globals: object };
  requireOptional("@tensorflow/tfjs-backend-webgpu");
  Object.assign(globalThis, dawn.globals);
  Object.defineProperty(globalThis, "navigator", { value: { gpu: dawn.create([]) }, configurable: true });
  await select("webgpu");
  return { backend: "webgpu", version: tf.version.tfjs, devices: ["WebGPU"], threads: 1, gpu: true };
}

function requireOptional(name: string): unknown {
  try {
    return require(name);
  } catch {
    throw new Error(`the package ${name} is not installed`);
  }
}

async function startWasm(): Promise<EngineInfo> {
  const before = CRASH_EVENTS.map((event) => process.listeners(event as "exit"));
  require("@tensorflow/tfjs-backend-wasm");
  await select("wasm");
  CRASH_EVENTS.forEach((event, i) => removeNewListeners(event, before[i]!));
  installWasmKernels();
  return { backend: "wasm", version: tf.version.tfjs, devices: ["WASM"], threads: 1, gpu: false };
}

// The WASM module catches every uncaught error of the process and rethrows it prefixed with its own source line.
const CRASH_EVENTS = ["uncaughtException", "unhandledRejection"];

function removeNewListeners(event: string, before: readonly unknown[]): void {
  for (const listener of process.listeners(event as "exit")) {
    if (!before.includes(listener)) process.removeListener(event, listener);
  }
}

async function startCpu(): Promise<EngineInfo> {
  await select("cpu");
  return { backend: "cpu", version: tf.version.tfjs, devices: ["JavaScript"], threads: 1, gpu: false };
}

async function select(name: string): Promise<void> {
  const works = await tf.setBackend(name);
  if (!works) throw new Error(`TensorFlow.js's ${name} backend does not initialize`);
  await tf.ready();
}
