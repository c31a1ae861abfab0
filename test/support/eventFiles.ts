/** A reader of TensorBoard's event files in Python's standard library alone, written from the format's description. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

export interface ReadEvent {
  readonly wallTime: number;
  readonly step?: number;
  readonly version?: string;
  readonly session?: "START";
  readonly values?: Readonly<Record<string, number>>;
}

/** The events of all files of a folder in the order of their names, each up to a torn record. @throws where a checksum differs */
export function readEvents(folder: string): ReadEvent[] {
  const venv = path.join(__dirname, "../../.venv/bin/python");
  const { stdout, stderr, error } = spawnSync(fs.existsSync(venv) ? venv : "python3", ["-c", READER, folder], {
    encoding: "utf8",
  });
  if (error ?? stderr) throw new Error(error?.message ?? stderr);
  // JSON has no NaN; Python writes one.
  return JSON.parse(stdout.replaceAll(/: NaN\b/g, ': "NaN"'), (_, value: unknown) =>
    value === "NaN" ? NaN : value,
  ) as ReadEvent[];
}

const READER = `
import glob, json, struct, sys

def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF

def unmask(masked):
    rotated = (masked - 0xA282EAD8) % 2**32
    return (rotated >> 17 | rotated << 15) % 2**32

def records(data):
    at = 0
    while at + 12 <= len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        if at + 16 + length > len(data):
            return
        body = data[at + 12:at + 12 + length]
        for checked, place in ((data[at:at + 8], at + 8), (body, at + 12 + length)):
            assert crc32c(checked) == unmask(struct.unpack_from("<I", data, place)[0]), "checksum"
        yield body
        at += 16 + length

def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at

def fields(data):
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        else:
            if kind == 2:
                size, at = varint(data, at)
            else:
                size = {1: 8, 5: 4}[kind]
            value, at = data[at:at + size], at + size
        yield key >> 3, value

def event(data):
    found = {}
    for number, value in fields(data):
        if number == 1: found["wallTime"] = struct.unpack("<d", value)[0]
        elif number == 2: found["step"] = value
        elif number == 3: found["version"] = value.decode()
        elif number == 5: found["values"] = dict(scalar(part) for _, part in fields(value))
        elif number == 7: found["session"] = {1: "START"}[dict(fields(value))[1]]
        else: raise ValueError(f"field {number}")
    return found

def scalar(data):
    parts = dict(fields(data))
    return parts[1].decode(), struct.unpack("<f", parts[2])[0]

names = sorted(glob.glob(sys.argv[1] + "/*tfevents*"))
print(json.dumps([event(record) for name in names for record in records(open(name, "rb").read())]))
`;
