/** The files of unfinished runs: checkpoints in data/cache/checkpoints, and beside them the locks of the processes that make the runs. */
import fs from "node:fs";
import path from "node:path";
import { cacheFolder } from "../data/files";
import { isLock, tryLock, type Holder, type Lock } from "./locks";

const folder = cacheFolder("checkpoints");

const placeOf = (item: string, key: string) => path.join(folder, `${item}-${key}`);

export function checkpointOf(item: string, key: string): string {
  return `${placeOf(item, key)}.checkpoint`;
}

/** The sole right to make a run, or who has it. Whoever has it may write the run's checkpoint. */
export function claimRun(item: string, key: string): Lock | Holder {
  return tryLock(placeOf(item, key));
}

/** Deletes the checkpoints of a run that is finished, and what processes that were killed left of theirs. The caller holds its claim. */
export function removeCheckpoints(item: string, key: string): void {
  for (const name of checkpointNames(item, key)) fs.rmSync(path.join(folder, name), { force: true });
}

/** Deletes the checkpoints of finished runs whose process was killed after it had written the record. */
export function sweepCheckpoints(item: string, isFinished: (key: string) => boolean): void {
  const keys = new Set(checkpointNames(item).map((name) => /-([0-9a-f]{16})\.checkpoint/.exec(name)![1]!));
  for (const key of [...keys].filter(isFinished)) {
    const claim = claimRun(item, key);
    if (!isLock(claim)) continue;
    removeCheckpoints(item, key);
    claim.release();
  }
}

/** Names of all of an item's checkpoints, or of one run's: its own, those of its several trainings, and half-written ones. */
function checkpointNames(item: string, key?: string): string[] {
  if (!fs.existsSync(folder)) return [];
  const escaped = item.replace(/[.]/g, "\\.");
  const ofItem = new RegExp(`^\\.?${escaped}-${key ?? "[0-9a-f]{16}"}\\.checkpoint`);
  return fs.readdirSync(folder).filter((name) => ofItem.test(name));
}
