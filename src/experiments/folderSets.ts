/** Data sets that lie in data/cache as folders of image files, one for each class. */
import { existsSync } from "node:fs";
import path from "node:path";
import {
  imageFolderSources,
  loadImageFolder,
  missingFolderMessage,
  openImageFolder,
  scanImageFolder,
  type Dataset,
  type ImageFolderName,
} from "../data";
import { cacheFolder } from "../data/files";

/** Ours: images of more bytes than these stay in their files. */
const MAX_BYTES = 2 ** 33;

export interface FolderSetOptions {
  /** Number of images, stratified by class; absent: all. */
  readonly limit?: number;
  /** Side of the square images in pixels. */
  readonly imageSize: number;
  readonly numClasses: number;
}

/** One split of a set, in RGB. @throws if it is not there, or has another number of classes */
export async function readFolderSet(
  name: ImageFolderName,
  split: "train" | "test",
  { limit, imageSize, numClasses }: FolderSetOptions,
): Promise<Dataset> {
  const { folder, ...which } = folderOfSplit(name, split);
  const found = await scanImageFolder(folder, { ...which, limit, name });
  const { files, classNames } = found;
  if (classNames.length !== numClasses)
    throw new Error(`${folder}: has ${classNames.length} class folders, expected ${numClasses}`);
  const read = files.length * imageSize ** 2 * 3 > MAX_BYTES ? openImageFolder : loadImageFolder;
  return read(found, { size: imageSize });
}

/** Whether both splits are in data/cache. */
export function hasFolderSet(name: ImageFolderName): boolean {
  try {
    return (["train", "test"] as const).every((split) => folderOfSplit(name, split));
  } catch {
    return false;
  }
}

/** The place of a split. @throws if it is missing; says what to get and how to lay it out */
export function folderOfSplit(
  name: ImageFolderName,
  split: "train" | "test",
  root: string = cacheFolder(name),
): { folder: string; splitFile?: string } {
  const { layout } = imageFolderSources[name];
  const place =
    layout === "train and val"
      ? { folder: path.join(root, split === "train" ? "train" : "val") }
      : { folder: root, splitFile: path.join(root, `${split}.txt`) };
  if (!Object.values(place).every((each) => existsSync(each))) throw new Error(missingFolderMessage(name, root));
  return place;
}
