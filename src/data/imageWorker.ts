/** Worker thread that decodes image files to bytes of one size; started by decodePool. */
import { readFileSync, statSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { Rng } from "../engine/rng"; // not the engine itself: a worker needs no TensorFlow
import { mirror } from "./augment";
import { randAugment } from "./autoAugment";
import { centerBox, cropAndResize, decodeImage, randomBox, toGray } from "./image";
import type { ImageJob } from "./decodePool";

const maxFileBytes = 2 ** 28; // ours

export function runJob({ file, size, channels, fit, seed, randAugment: layers }: ImageJob): Uint8Array {
  const fileBytes = statSync(file).size;
  if (fileBytes > maxFileBytes) throw new Error(`${file}: ${fileBytes} bytes, expected at most ${maxFileBytes}`);
  const decoded = decodeImage(readFileSync(file), { name: file });
  const image = channels === 1 ? toGray(decoded) : decoded;
  const [height, width] = size;
  const whole = { top: 0, left: 0, height: image.height, width: image.width };
  if (fit === "stretch") return cropAndResize(image, whole, size);
  if (fit === "center" || seed === undefined) return cropAndResize(image, centerBox(image, Math.min(height, width)), size);
  const rng = new Rng(seed);
  const bytes = cropAndResize(image, randomBox(image, rng) ?? centerBox(image, Math.min(height, width)), size);
  const shape = [height, width, channels] as const;
  if (layers) randAugment(layers)(bytes, shape, rng);
  if (rng.uniform() < 0.5) mirror(bytes, shape);
  return bytes;
}

parentPort?.on("message", ({ id, job }: { id: number; job: ImageJob }) => {
  try {
    const bytes = runJob(job);
    parentPort!.postMessage({ id, bytes }, [bytes.buffer as ArrayBuffer]);
  } catch (error) {
    parentPort!.postMessage({ id, error: (error as Error).message });
  }
});
