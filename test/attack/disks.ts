/**
 * Disks that fill up: everything that the kit writes, on a disk of 64 kB. npx tsx test/attack/disks.ts
 *
 * A write raises an error, what was there before stays as it was, and no partial file is left, nor an SVG without its PNG.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import tar from "tar";
import * as lab from "../../src";
import { writeFileAtomic } from "../../src/data/files";
import { tinyDisk } from "../support/tinyDisk";
import { tinyImages } from "../support/training";
import { attempts, finish, type Outcome } from "./report";

/** Fills the disk but for `free` bytes, acts, and says what is wrong afterward. */
async function onFullDisk(free: number, act: (folder: string) => Promise<unknown>): Promise<string | undefined> {
  const disk = tinyDisk();
  if (!disk) throw new Error("a small disk cannot be mounted here");
  try {
    const kept = path.join(disk.folder, "kept");
    await writeFileAtomic(kept, "earlier content");
    const { bavail, bsize } = fs.statfsSync(disk.folder);
    const filler = Math.max(0, bavail * bsize - free);
    fs.writeFileSync(path.join(disk.folder, "filler"), Buffer.alloc(filler, 1));
    const before = fs.readdirSync(disk.folder);
    const raised = await act(disk.folder).then(
      () => false,
      () => true,
    );
    const left = fs.readdirSync(disk.folder).filter((name) => !before.includes(name));
    if (!raised) return "no error";
    if (left.some((name) => /part|tmp|svg/.test(name))) return `left behind: ${left.join()}`;
    return fs.readFileSync(kept, "utf8") === "earlier content" ? undefined : "earlier content is gone";
  } finally {
    disk.unmount();
  }
}

const spec = lab.learningCurves({ title: "t", rows: [0, 1].map((x) => ({ x, series: "a", mean: x })) });

async function extractOn(folder: string): Promise<unknown> {
  const source = fs.mkdtempSync(path.join(os.tmpdir(), "disks-"));
  try {
    fs.writeFileSync(path.join(source, "large"), Buffer.alloc(40_000, 7));
    const archive = path.join(source, "large.tar");
    await tar.create({ file: archive, cwd: source }, ["large"]);
    return await lab.data.extractArchive(archive, path.join(folder, "out"));
  } finally {
    fs.rmSync(source, { recursive: true });
  }
}

async function trainOn(folder: string): Promise<unknown> {
  const model = lab.convNet({ inputShape: [8, 8, 1], numClasses: 3, widths: [64, 64] });
  const data = { train: tinyImages(40, "train"), test: tinyImages(20, "test") };
  const training = { epochs: 1, batchSize: 8 };
  return lab.train(model, data, training, { checkpoint: path.join(folder, "checkpoint"), checkpointEvery: 1 });
}

const writes: Readonly<Record<string, (folder: string) => Promise<unknown>>> = {
  "a file over an earlier one": (folder) => writeFileAtomic(path.join(folder, "kept"), Buffer.alloc(60_000, 2)),
  "a figure": (folder) => lab.saveFigure("figure", spec, { folder }),
  "an archive": extractOn,
  "a training's checkpoint": trainOn,
  "the variables of a network": async (folder) => {
    const variables = lab.wideResNet({ depth: 10, widenFactor: 1, numClasses: 10, inputShape: [8, 8, 1] }).init(new lab.Rng(0));
    return lab.saveVariables(path.join(folder, "weights.safetensors"), variables);
  },
};

async function main(): Promise<void> {
  await lab.ready();
  const outcomes: Outcome[] = [];
  for (const [name, act] of Object.entries(writes)) {
    const sizes = [0, 4096, 8192, 16_384, 32_768];
    outcomes.push(await attempts(`a full disk under ${name}`, sizes.length, (i) => onFullDisk(sizes[i]!, act)));
  }
  finish(outcomes);
}

void main();
