import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, readdir, readFile, symlink } from "node:fs/promises";
import { hostname } from "node:os";
import { gzipSync } from "node:zlib";
import { zipSync } from "fflate";
import { extractArchive, safePath } from "../../src/data";
import { Rng } from "../../src/engine";
import { tinyDisk } from "../support/tinyDisk";
import { temporaryFolder } from "./support";

/** A ustar archive, made by hand so that names and types can be anything. */
function tar(...entries: { name: string; content?: string; type?: string; link?: string; size?: number }[]): Buffer {
  const blocks = entries.flatMap(({ name, content = "", type = "0", link = "", size = content.length }) => {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write("0000644\0" + "0000000\0" + "0000000\0", 100);
    header.write(size.toString(8).padStart(11, "0") + "\0", 124);
    header.write("00000000000\0" + "        " + type + link, 136);
    header.write("ustar\x0000", 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(sum.toString(8).padStart(6, "0") + "\0 ", 148);
    return [header, Buffer.from(content), Buffer.alloc((512 - (content.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

describe("data/archive", () => {
  const folder = temporaryFolder();
  let count = 0;
  const fresh = () => folder.path(`out-${count++}`);
  const refused = async (content: Uint8Array, message: RegExp, options = {}) => {
    const out = fresh();
    await assert.rejects(extractArchive(await folder.write("archive", content), out, options), message);
    assert.ok(!(await readdir(folder.path())).some((name) => name.includes("out-" + (count - 1))), "nothing is left behind");
  };

  it("The system's tar.gz is unpacked as it is", async () => {
    await mkdir(folder.path("in/deep"), { recursive: true });
    await folder.write("in/a.txt", "one");
    await folder.write("in/deep/b.bin", Buffer.alloc(3_000_000, 7));
    execFileSync("tar", ["-czf", folder.path("real.tar.gz"), "-C", folder.path(), "in"]);
    const out = fresh();

    const names = await extractArchive(folder.path("real.tar.gz"), out);

    assert.deepEqual(names.sort(), ["in/a.txt", "in/deep/b.bin"]);
    assert.equal(await readFile(`${out}/in/a.txt`, "utf8"), "one");
    assert.ok((await readFile(`${out}/in/deep/b.bin`)).equals(Buffer.alloc(3_000_000, 7)));
  });

  it("A zip is unpacked, packed entries and stored ones", async () => {
    const zip = zipSync({
      "d/a.txt": Buffer.from("one"),
      "b.bin": [Buffer.alloc(200_000, 7), { level: 0 }],
      "c.bin": Buffer.alloc(500_000, 1),
    });
    const out = fresh();

    const names = await extractArchive(await folder.write("x.zip", zip), out);

    assert.deepEqual(names.sort(), ["b.bin", "c.bin", "d/a.txt"]);
    assert.equal(await readFile(`${out}/d/a.txt`, "utf8"), "one");
    assert.equal((await readFile(`${out}/b.bin`)).length, 200_000);
    assert.ok((await readFile(`${out}/c.bin`)).equals(Buffer.alloc(500_000, 1)));
  });

  it("Names that leave the folder are refused, in tar and in zip", async () => {
    for (const name of ["../evil", "a/../../evil", "/etc/evil", "a\\..\\evil", "C:evil"]) {
      await refused(tar({ name: "fine", content: "x" }, { name, content: "x" }), /would leave the folder/);
      await refused(zipSync({ fine: Buffer.from("x"), [name]: Buffer.from("x") }), /would leave the folder/);
    }
    assert.equal(safePath("./a//b/./c"), "a/b/c");
    assert.equal(safePath("a/.."), undefined);
    assert.equal(safePath("."), undefined);
  });

  it("Links and devices are refused", async () => {
    await refused(
      tar({ name: "link", type: "2", link: "/etc" }, { name: "link/passwd", content: "x" }),
      /"link" is a SymbolicLink/,
    );
    await refused(tar({ name: "hard", type: "1", link: "/etc/passwd" }), /"hard" is a Link/);
    await refused(tar({ name: "dev", type: "3" }), /"dev" is a CharacterDevice/);
    await symlink("/etc", folder.path("to-etc"));
    execFileSync("tar", ["-cf", folder.path("links.tar"), "-C", folder.path(), "to-etc"]);
    await refused(await readFile(folder.path("links.tar")), /is a SymbolicLink, expected files and folders only/);
  });

  it("An entry that comes twice is refused", async () => {
    await refused(tar({ name: "a", content: "1" }, { name: "./a", content: "2" }), /"(\.\/)?a" comes twice/);
  });

  it("Sizes and numbers of files are bounded, also where the packed file is small", async () => {
    await refused(gzipSync(tar({ name: "a", content: "x".repeat(100_000) })), /unpacks to more than the 50000 bytes/, {
      maxBytes: 50_000,
    });
    await refused(zipSync({ a: Buffer.alloc(1_000_000) }), /unpacks to more than the 50000 bytes/, { maxBytes: 50_000 });
    await refused(tar({ name: "a" }, { name: "b" }, { name: "c" }), /more than the 2 files/, { maxFiles: 2 });
  });

  it("Archives cut short, damaged, or none at all are refused", async () => {
    const archive = gzipSync(tar({ name: "a", content: "x".repeat(5000) }));
    await refused(archive.subarray(0, archive.length - 20), /cannot be unpacked/);
    await refused(tar({ name: "a", content: "x".repeat(5000) }).subarray(0, 3000), /cannot be unpacked/);
    await refused(Buffer.from("no archive at all, just a text that is longer than nothing".repeat(20)), /cannot be unpacked/);
    await refused(Buffer.alloc(0), /cannot be unpacked/);
    const rng = new Rng(0);
    const noise = Buffer.from(Array.from({ length: 5000 }, () => rng.int(256)));
    await refused(zipSync({ a: noise }).subarray(0, 2000), /cut short|cannot be unpacked/);
    await assert.rejects(extractArchive(folder.path("none"), fresh()), /none: no such file/);
  });

  it("A tar cut at an entry is refused, though each entry before is whole", async () => {
    const whole = tar({ name: "a", content: "x".repeat(512) }, { name: "b", content: "y".repeat(512) });

    for (const end of [1024, 2048]) {
      await refused(whole.subarray(0, end), /cut short: the two blocks of zeros that end a tar archive are missing/);
      await refused(gzipSync(whole.subarray(0, end)), /cut short: the two blocks of zeros/);
    }
  });

  it("A zip cut anywhere is refused", async () => {
    const zip = zipSync({ a: Buffer.from("x".repeat(300)), b: Buffer.from("y".repeat(300)) }, { level: 0 });

    for (let end = 4; end < zip.length; end += 13) await refused(zip.subarray(0, end), /cannot be unpacked/);
  });

  it("A flipped bit in a zip's content is noticed by its CRC-32, packed and stored", async () => {
    const rng = new Rng(1);
    const content = Buffer.from(Array.from({ length: 2000 }, () => rng.int(256)));
    for (const level of [0, 6] as const) {
      const zip = zipSync({ a: content }, { level });
      for (let i = 0; i < 20; i++) {
        const flipped = Buffer.from(zip);
        // the local header has 30 bytes and a name of one
        flipped[31 + rng.int(1900)]! ^= 1 << rng.int(8);

        await refused(flipped, /entry "a" is damaged: CRC-32 [0-9a-f]{8}, expected [0-9a-f]{8}|cannot be unpacked/);
      }
    }
  });

  it("A symbolic link in a zip is refused", async () => {
    const link = zipSync({ link: [Buffer.from("/etc/passwd"), { os: 3, attrs: 0o120777 << 16 }] });

    await refused(link, /"link" is a SymbolicLink/);
  });

  it("A full disk is an error, never a file cut short", async function () {
    const disk = tinyDisk();
    if (!disk) this.skip();
    try {
      const content = Buffer.alloc(100_000, 7);
      const archives = {
        "full.tar": tar({ name: "a", content: content.toString("latin1") }),
        "full.zip": zipSync({ a: content }),
      };
      for (const [name, bytes] of Object.entries(archives)) {
        await assert.rejects(
          extractArchive(await folder.write(name, bytes), `${disk.folder}/out`),
          /full\.(tar|zip): cannot be unpacked: ENOSPC: no space left on device/,
        );
        assert.deepEqual(await readdir(disk.folder), []);
      }
    } finally {
      disk.unmount();
    }
  });

  it("Damaged archives leave no file open", async () => {
    const damaged = [
      gzipSync(Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * i) % 251))),
      gzipSync(tar({ name: "a", content: "x".repeat(5000) })).subarray(0, 60),
      tar({ name: "a", content: "x".repeat(5000) }).subarray(0, 3000),
      tar({ name: "fine", content: "x" }, { name: "../evil", content: "x" }),
      zipSync({ fine: Buffer.from("x"), "../evil": Buffer.from("x") }),
    ];
    const openFiles = () => readdirSync("/proc/self/fd").length;
    const before = openFiles();

    for (const content of damaged) await refused(content, /./);

    assert.equal(openFiles(), before);
  });

  it("What a killed process left half-unpacked is removed, and a living one's is not", async () => {
    const { pid } = spawnSync("true");
    const dead = folder.path(`.again-${hostname()}-${pid}-0123abcd.part`);
    const alive = folder.path(`.again-${hostname()}-${process.pid}-0123abcd.part`);
    for (const partial of [dead, alive]) await mkdir(`${partial}/deep`, { recursive: true });

    await extractArchive(await folder.write("again.tar", tar({ name: "a", content: "x" })), folder.path("again"));

    assert.deepEqual([existsSync(dead), existsSync(alive)], [false, true]);
  });

  it("Unknown options are refused with the nearest name", async () => {
    await assert.rejects(
      extractArchive("none", fresh(), { maxbytes: 1 } as object),
      /extractArchive: unknown option "maxbytes", did you mean "maxBytes"\?/,
    );
  });
});
