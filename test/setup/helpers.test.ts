/** The pure parts of set-up, on texts that npm, pip, apt and wheels really write. */
import assert from "node:assert/strict";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { counts, fashionMnist, kernel, packages, python, setup } from "./modules";

const root = path.join(__dirname, "../..");

describe("npm packages", () => {
  const wanted = { "": {}, "node_modules/a": { version: "1.0.0" }, "node_modules/mac": { version: "2.0.0", optional: true } };

  it("are complete where all but optional ones are installed in the versions of the lock file", async () => {
    const { lockDifferences } = await packages();

    assert.deepEqual(lockDifferences(wanted, { "node_modules/a": { version: "1.0.0" } }), []);
  });

  it("differ where one is missing or of another version", async () => {
    const { lockDifferences } = await packages();

    assert.deepEqual(lockDifferences(wanted, {}), ["node_modules/a"]);
    assert.deepEqual(lockDifferences(wanted, { "node_modules/a": { version: "1.0.1" } }), ["node_modules/a"]);
    assert.deepEqual(
      lockDifferences(wanted, { "node_modules/a": { version: "1.0.0" }, "node_modules/mac": { version: "1.0.0" } }),
      ["node_modules/mac"],
    );
  });

  it("report npm's own reason in one line", async () => {
    const { npmError } = await packages();
    const output = `npm error code ENOTFOUND
npm error syscall getaddrinfo
npm error errno ENOTFOUND
npm error network request to http://example.invalid/zod failed, reason: getaddrinfo ENOTFOUND example.invalid
npm error A complete log of this run can be found in: /root/.npm/_logs/x.log`;

    assert.equal(
      npmError(output),
      "ENOTFOUND network request to http://example.invalid/zod failed, reason: getaddrinfo ENOTFOUND example.invalid",
    );
  });
});

describe("Python packages", () => {
  it("read an interpreter's version, and take Python 2 for none", async () => {
    const { pythonMinor } = await python();

    assert.equal(pythonMinor("3 11\n"), 11);
    assert.equal(pythonMinor("2 7\n"), NaN);
    assert.equal(pythonMinor(""), NaN);
  });

  it("say which package pip could not get, and whether an index answered", async () => {
    const { pipError } = await python();
    const missing = "ERROR: No matching distribution found for jupyterlab==4.6.4";
    const retry = "WARNING: Retrying after connection broken by 'NewConnectionError(Failed to establish a new connection)'\n";

    assert.equal(pipError(missing), "jupyterlab==4.6.4 is not available");
    assert.equal(pipError(retry + missing), "jupyterlab==4.6.4 is not available: the package index does not answer");
    assert.equal(
      pipError("ERROR: Could not install packages: [Errno 28] No space left on device.\n"),
      "Could not install packages: [Errno 28] No space left on device",
    );
  });

  it("add CUDA's libraries as TensorFlow's own wheel asks for them", async () => {
    const { cudaRequirements } = await python();
    const metadata = `Requires-Dist: numpy>=1.26.0
Requires-Dist: nvidia-cublas-cu12<13.0,>=12.5.3.2; extra == "and-cuda"
Requires-Dist: nvidia-cudnn-cu12<10.0,>=9.3.0.75; extra == 'and-cuda'
Requires-Dist: tensorflow-io-gcs-filesystem>=0.23.1; (sys_platform != "win32") and extra == "gcs-filesystem"`;

    assert.deepEqual(cudaRequirements(metadata), ["nvidia-cublas-cu12<13.0,>=12.5.3.2", "nvidia-cudnn-cu12<10.0,>=9.3.0.75"]);
  });
});

describe("the tslab kernel", () => {
  it("starts by full paths, so that nothing has to be on PATH", async () => {
    const { argv, language, env } = (await kernel()).kernelSpec(root);

    assert.deepEqual(argv.slice(0, 2), [process.execPath, path.join(root, "node_modules/tslab/bin/tslab")]);
    assert.equal(language, "typescript");
    assert.equal(env.TF_CPP_MIN_LOG_LEVEL, "2");
  });
});

describe("Fashion-MNIST", () => {
  it("is checked by its content, however it is packed", async () => {
    const { contentSum } = await fashionMnist();
    const content = Buffer.from("abc");

    // SHA-256 of "abc": FIPS 180-2, appendix B.1.
    const published = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert.equal(contentSum(gzipSync(content, { level: 1 })), published);
    assert.equal(contentSum(gzipSync(content, { level: 9 })), published);
    assert.equal(contentSum(content), undefined);
  });

  it("is missing where its files were never checked", async () => {
    const { missingFiles } = await fashionMnist();

    assert.equal(missingFiles(__dirname).length, 4);
  });

  it("finds the archives that apt is set up for in both formats of its lists", async () => {
    const { archivesIn } = await fashionMnist();
    const text = `# a comment with http://no.example/debian
deb [signed-by=/usr/share/keyrings/k.gpg] http://one.example/debian bookworm main
URIs: http://two.example/ubuntu/ https://three.example/debian-security
deb-src http://four.example/debian bookworm main`;

    assert.deepEqual(archivesIn(text), ["http://one.example/debian/", "http://two.example/ubuntu/"]);
  });
});

describe("the last line of npm test", () => {
  it("names what was skipped only where something was", async () => {
    const { summaryLine } = await counts();

    assert.equal(summaryLine({ passed: 3, failed: 1, skipped: 2 }), "3 passed, 1 failed, 2 skipped");
    assert.equal(summaryLine({ passed: 3, failed: 0, skipped: 0 }), "3 passed, 0 failed");
  });

  it("adds checks and tests", async () => {
    const { sumCounts } = await counts();
    const parts = [
      { passed: 1, failed: 0, skipped: 0 },
      { passed: 5, failed: 2, skipped: 3 },
    ];

    assert.deepEqual(sumCounts(parts), { passed: 6, failed: 2, skipped: 3 });
  });

  it("counts a failure where mocha broke off, ended badly, or ran nothing", async () => {
    const { mochaCounts } = await counts();
    const clean = { passed: 5, failed: 0, skipped: 0 };

    assert.deepEqual(mochaCounts(undefined, 1), { passed: 0, failed: 1, skipped: 0 });
    assert.deepEqual(mochaCounts(clean, 7), { passed: 5, failed: 1, skipped: 0 });
    assert.deepEqual(mochaCounts({ passed: 0, failed: 0, skipped: 0 }, 0), { passed: 0, failed: 1, skipped: 0 });
    assert.deepEqual(mochaCounts(clean, 0), clean);
  });
});

describe("an old Node", () => {
  it("is told which one is needed", async () => {
    const { checkNode } = await setup();

    assert.throws(() => checkNode("18.20.4"), /Node 18\.20\.4 is too old: the kit needs Node 20 or newer/);
    checkNode("20.0.0");
    checkNode("24.1.0");
  });
});
