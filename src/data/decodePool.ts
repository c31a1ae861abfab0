/** A pool of worker threads that decodes images ahead of training. */
import os from "node:os";
import type { Worker } from "node:worker_threads";
import { showValue } from "../engine";
import type { RandAugmentOptions } from "./autoAugment";
import { startWorker } from "./workerThread";

/** One image to be decoded: its file, and what is made of it. */
export interface ImageJob {
  file: string;
  /** height, width of the result */
  size: readonly [number, number];
  channels: 1 | 3;
  /** "random": random box and flip, from `seed`; "center": the official evaluation crop; "stretch": the whole image */
  fit: "random" | "center" | "stretch";
  seed?: number;
  /** after a random box; absent: none */
  randAugment?: RandAugmentOptions;
}

interface Waiting {
  resolve: (bytes: Uint8Array) => void;
  reject: (error: Error) => void;
}

/** Ours. */
const MAX_THREADS = 1024;

/** Hands jobs to its threads; `close` ends them. */
export class DecodePool {
  private readonly workers: Worker[];
  private readonly waiting = new Map<number, Waiting>();
  private readonly load: number[];
  private nextId = 0;
  /** why no more images are decoded */
  private ended: Error | undefined;

  /** @param threads ours: one less than there are processors, since training wants one */
  constructor(threads: number = Math.max(1, os.availableParallelism() - 1)) {
    if (!Number.isInteger(threads) || threads < 1 || threads > MAX_THREADS)
      throw new Error(`threads = ${showValue(threads)}: expected an integer from 1 to ${MAX_THREADS}`);
    this.workers = Array.from({ length: threads }, () => startWorker("imageWorker"));
    this.load = this.workers.map(() => 0);
    this.workers.forEach((worker, i) => {
      worker.on("message", (message) => this.settle(message, i));
      worker.on("error", (error) => this.fail(error));
      worker.on("exit", () => this.fail(new Error("a thread that decodes images has ended")));
      worker.unref();
    });
  }

  /** @throws if the file cannot be decoded, the pool was closed, or one of its threads died */
  async decode(job: ImageJob): Promise<Uint8Array> {
    if (this.ended) throw this.ended;
    const id = this.nextId++;
    const least = this.load.indexOf(Math.min(...this.load));
    this.load[least]!++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.workers[least]!.ref();
      this.workers[least]!.postMessage({ id, job });
    });
  }

  /** Ends the worker threads. */
  async close(): Promise<void> {
    this.fail(new Error("decoding was stopped"));
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }

  private settle({ id, bytes, error }: { id: number; bytes?: Uint8Array; error?: string }, worker: number): void {
    if (--this.load[worker]! === 0) this.workers[worker]!.unref();
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    if (bytes) waiting?.resolve(bytes);
    else waiting?.reject(new Error(error));
  }

  private fail(error: Error): void {
    this.ended ??= error;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}
