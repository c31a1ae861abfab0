/** Zip files, read by their central directory, so that one cut short is noticed. Sizes and CRC-32 are checked. */
import { buf as crc32 } from "crc-32";
import { fromBufferPromise, getFileNameLowLevel, openPromise, type Entry, type ZipFile } from "yauzl";

export interface ZipEntry {
  readonly name: string;
  /** bytes once unpacked, as the archive states them */
  readonly size: number;
  readonly isLink: boolean;
  /** @throws if size or CRC-32 differ from the archive's */
  content(): AsyncGenerator<Buffer, void, undefined>;
}

/**
 * The entries of a zip file, or of one in memory; each is read, if at all, before the next is asked for.
 * @throws if the archive is cut short or its directory is damaged
 */
export async function* zipEntries(source: string | Buffer): AsyncGenerator<ZipEntry, void, undefined> {
  const options = { autoClose: false, decodeStrings: false };
  const zip = await (typeof source === "string" ? openPromise(source, options) : fromBufferPromise(source, options));
  try {
    for await (const entry of zip.eachEntry()) yield describeEntry(zip, entry);
  } finally {
    zip.close();
  }
}

function describeEntry(zip: ZipFile, entry: Entry): ZipEntry {
  const { generalPurposeBitFlag, fileNameRaw, extraFields, uncompressedSize, externalFileAttributes } = entry;
  const name = getFileNameLowLevel(generalPurposeBitFlag, fileNameRaw, extraFields, true);
  const isLink = ((externalFileAttributes >>> 16) & 0xf000) === 0xa000; // S_IFLNK of Unix
  return { name, size: uncompressedSize, isLink, content: () => readChecked(zip, entry, name) };
}

// yauzl compares the sizes, but not the checksum.
async function* readChecked(zip: ZipFile, entry: Entry, name: string): AsyncGenerator<Buffer, void, undefined> {
  let sum = 0;
  for await (const chunk of (await zip.openReadStreamPromise(entry)) as AsyncIterable<Buffer>) {
    sum = crc32(chunk, sum);
    yield chunk;
  }
  if (sum >>> 0 !== entry.crc32)
    throw new Error(`entry ${JSON.stringify(name)} is damaged: CRC-32 ${hex(sum)}, expected ${hex(entry.crc32)}`);
}

const hex = (sum: number) => (sum >>> 0).toString(16).padStart(8, "0");
