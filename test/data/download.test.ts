import assert from "node:assert/strict";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { access, readFile } from "node:fs/promises";
import { download, fetchDataset } from "../../src/data";
import { sha256 } from "../../src/data/files";
import { tinyDisk } from "../support/tinyDisk";
import { temporaryFolder } from "./support";

const content = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7) % 256));
const sum = sha256(content);

describe("data/download", () => {
  const folder = temporaryFolder();
  const requests: (string | undefined)[] = [];
  let server: Server;
  let url = "";
  let answer: RequestListener;

  /** A server that keeps to ranges. */
  const serveRanges: RequestListener = (request, response) => {
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    if (from > 0) response.writeHead(206, { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` });
    response.end(content.subarray(from));
  };

  before(async () => {
    server = createServer((request, response) => {
      requests.push(request.headers.range);
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file.bin`;
  });
  after(() => new Promise((resolve) => server.close(resolve)));
  beforeEach(() => {
    requests.length = 0;
    answer = serveRanges;
  });

  it("A file arrives whole, with progress, and is not fetched again", async () => {
    const seen: number[] = [];
    await download(url, folder.path("a/file.bin"), { sha256: sum, onProgress: (received) => seen.push(received) });
    await download(url, folder.path("a/file.bin"), { sha256: sum });

    assert.ok((await readFile(folder.path("a/file.bin"))).equals(content));
    assert.equal(seen[seen.length - 1], content.length);
    assert.equal(requests.length, 1);
  });

  it("An interrupted download resumes where it stopped", async () => {
    answer = (_, response) => {
      response.writeHead(200, { "content-length": content.length });
      response.write(content.subarray(0, 40_000), () => setTimeout(() => response.destroy(), 20));
    };
    await assert.rejects(
      download(url, folder.path("b.bin"), { sha256: sum }),
      /Cannot download http.*Get it elsewhere \(SHA-256 [0-9a-f]{64}\) and put it at .*b.bin/,
    );
    await assert.rejects(access(folder.path("b.bin")));

    answer = serveRanges;
    await download(url, folder.path("b.bin"), { sha256: sum });

    assert.ok((await readFile(folder.path("b.bin"))).equals(content));
    assert.deepEqual(requests, [undefined, "bytes=40000-"]);
  });

  it("Without support for ranges the download starts again from the beginning", async () => {
    await folder.write("c.bin.part", content.subarray(0, 1000));
    answer = (_, response) => void response.end(content);

    await download(url, folder.path("c.bin"), { sha256: sum });

    assert.ok((await readFile(folder.path("c.bin"))).equals(content));
  });

  it("A file with another checksum is deleted and named", async () => {
    answer = (_, response) => void response.end("something else");

    await assert.rejects(
      download(url, folder.path("d.bin"), { sha256: sum }),
      /has SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64}: not the published file/,
    );
    await assert.rejects(access(folder.path("d.bin")));
    await assert.rejects(access(folder.path("d.bin.part")));
  });

  it("A file larger than expected is stopped", async () => {
    await assert.rejects(
      download(url, folder.path("e.bin"), { sha256: sum, maxBytes: 50_000 }),
      /more than the 50000 bytes expected at most/,
    );
  });

  it("If no server answers, the message has the URL, the reason and the target", async () => {
    await assert.rejects(
      download("http://127.0.0.1:9/x", folder.path("f.bin"), { sha256: sum }),
      /Cannot download http:\/\/127.0.0.1:9\/x: fetch failed.* and put it at .*f.bin/,
    );
    answer = (_, response) => void response.writeHead(404).end();
    await assert.rejects(download(url, folder.path("f.bin"), { sha256: sum }), /the server answers 404 Not Found/);
    await assert.rejects(fetchDataset("cifar" as "mnist"), /data set "cifar": expected one of cifar-10, cifar-100, svhn, mnist/);
  });

  it("A full disk is named as the reason, and the download is resumed once there is room", async function () {
    const disk = tinyDisk();
    if (!disk) this.skip();
    try {
      const target = `${disk.folder}/g.bin`;

      await assert.rejects(download(url, target, { sha256: sum }), /Cannot download http.*: ENOSPC: no space left on device/);

      const had = (await readFile(`${target}.part`)).length;
      assert.ok(had > 0 && had < content.length);
      await folder.write("g.bin.part", await readFile(`${target}.part`)); // on a disk with room
      await download(url, folder.path("g.bin"), { sha256: sum });
      assert.ok((await readFile(folder.path("g.bin"))).equals(content));
      assert.equal(requests.at(-1), `bytes=${had}-`);
    } finally {
      disk.unmount();
    }
  });

  it("No .part file stays beside a file that is there, or from one that is too large", async () => {
    await folder.write("h.bin", content);
    await folder.write("h.bin.part", "the rest of a killed download");

    await download(url, folder.path("h.bin"), { sha256: sum });
    await assert.rejects(download(url, folder.path("i.bin"), { sha256: sum, maxBytes: 10 }), /more than the 10 bytes/);

    await assert.rejects(access(folder.path("h.bin.part")));
    await assert.rejects(access(folder.path("i.bin.part")));
  });

  it("Options are checked by name and type", async () => {
    await assert.rejects(
      download(url, folder.path("j"), { sha265: sum } as never),
      /download: unknown option "sha265", did you mean "sha256"\?/,
    );
    await assert.rejects(download(url, folder.path("j"), { sha256: "abc" }), /sha256 = "abc": expected 64 hexadecimal digits/);
    await assert.rejects(fetchDataset("mnist", { folder: 1 } as never), /fetchDataset: folder = 1: expected a string/);
    await assert.rejects(fetchDataset("toString" as "mnist"), /data set "toString": expected one of cifar-10/);
  });
});
