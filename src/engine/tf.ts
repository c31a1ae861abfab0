/** TensorFlow.js as this kit uses it: one instance, backed by the native binding where that was built, with repaired gradients. */
import util from "node:util";
import * as tf from "@tensorflow/tfjs";
import { installGradients } from "./gradients";

// More than any machine has cores, and few enough that TensorFlow can start them: at 999999999 it crashes.
const MAX_THREADS = 1024;

// Set before the binding loads, to hide its C++ log lines, which notebooks would show as errors.
process.env.TF_CPP_MIN_LOG_LEVEL ??= "2";
tf.enableProdMode();

/** Why the native engine is missing, in one line; undefined where it is loaded. */
export let nativeFailure: string | undefined;

setThreads();
const wanted = process.env.SHARPNESS_BACKEND || "native";
if (wanted === "native") loadNative();
else nativeFailure = `SHARPNESS_BACKEND = "${wanted}"`;
installGradients();

function loadNative(): void {
  restoreRemovedUtil();
  try {
    require("@tensorflow/tfjs-node-gpu");
  } catch (error) {
    nativeFailure = bindingIsMissing(error as NodeJS.ErrnoException)
      ? "TensorFlow's binding is not built here; npm run setup builds it, or says what it needs"
      : String((error as Error).message).split("\n")[0];
  }
}

// tfjs-node's own message advises an npm rebuild, which fails.
function bindingIsMissing({ code, message }: NodeJS.ErrnoException): boolean {
  return code === "MODULE_NOT_FOUND" || /tfjs_binding\.node/.test(message);
}

// tfjs-node 4.22 calls two functions that Node 23 removed from `util`.
function restoreRemovedUtil(): void {
  const old = util as unknown as Record<string, unknown>;
  old.isNullOrUndefined ??= (value: unknown) => value == null;
  old.isArray ??= Array.isArray;
}

// TensorFlow reads these once, when the binding loads.
function setThreads(): void {
  const threads = process.env.SHARPNESS_THREADS;
  if (!threads) return;
  if (!/^[1-9]\d*$/.test(threads) || Number(threads) > MAX_THREADS)
    throw new Error(`SHARPNESS_THREADS = "${threads}": expected a whole number from 1 to ${MAX_THREADS}`);
  process.env.TF_NUM_INTRAOP_THREADS = threads;
  process.env.TF_NUM_INTEROP_THREADS ??= "1"; // Operations run one after the other.
}

/** Threads per operation that the environment asks for; undefined means one per core. */
export function threadsWanted(): number | undefined {
  return Number(process.env.TF_NUM_INTRAOP_THREADS) || undefined;
}

export { tf };
