import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { ready, tf } from "../../src/engine";
import { startEngine } from "../../src/engine/backend";

const ENGINE = require.resolve("../../src/engine");

/** Standard output of a fresh process. */
function inFreshProcess(code: string, environment: NodeJS.ProcessEnv = {}): string {
  const script = `const { tf, ready } = require(${JSON.stringify(ENGINE)}); ${code}`;
  return execFileSync(process.execPath, ["--require", "tsx/cjs", "--eval", script], {
    env: { ...process.env, SHARPNESS_BACKEND: "", ...environment },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

const PRINT_ENGINE = `ready().then((info) => console.log(JSON.stringify(info)), (error) => console.log(error.message));`;

describe("ready", function () {
  this.timeout(300_000); // Fresh processes are slow to load on a busy machine.

  it("says which engine runs, its version, devices and threads", async () => {
    const info = await ready();

    assert.ok(["native", "webgpu", "wasm", "cpu"].includes(info.backend));
    assert.match(info.version, /^\d+\.\d+\.\d+/);
    assert.ok(info.devices.length > 0);
    assert.ok(Number.isInteger(info.threads) && info.threads >= 1);
    assert.equal(await ready(), info);
  });

  it("starts WASM when SHARPNESS_BACKEND says so, and leaves no listener for uncaught errors behind", () => {
    const code = `ready().then(({ backend }) => console.log(backend, process.listenerCount("uncaughtException")));`;

    assert.equal(inFreshProcess(code, { SHARPNESS_BACKEND: "wasm" }).trim(), "wasm 0");
  });

  it("refuses an engine that does not exist, and lists those that do", () => {
    const message = inFreshProcess(PRINT_ENGINE, { SHARPNESS_BACKEND: "tensorflow" });

    assert.equal(message.trim(), 'SHARPNESS_BACKEND = "tensorflow": expected one of native, webgpu, wasm, cpu');
  });

  it("computes the same bits in two processes with the same number of threads, and says how many those are", async function () {
    if ((await ready()).backend !== "native") this.skip();
    const code = `const x = tf.tensor4d(Array.from({ length: 2592 }, (_, i) => Math.sin(i * i)), [8, 9, 9, 4]);
      const f = tf.tensor4d(Array.from({ length: 288 }, (_, i) => Math.cos(i)), [3, 3, 4, 8]);
      const loss = (k) => tf.sum(tf.square(tf.relu(tf.conv2d(x, k, 1, "same"))));
      const bits = Buffer.from(tf.grad(loss)(f).dataSync().buffer).toString("hex");
      ready().then(({ threads }) => console.log(threads, bits));`;

    const runs = [1, 2].map(() => inFreshProcess(code, { SHARPNESS_THREADS: "2" }));

    assert.equal(runs[0], runs[1]);
    assert.match(runs[0]!, /^2 /);
  });
});

describe("SHARPNESS_THREADS", () => {
  it("that is no number of threads is refused before TensorFlow crashes on it", () => {
    for (const threads of ["0", "two", "1.5", "999999999"])
      assert.throws(
        () => inFreshProcess("", { SHARPNESS_THREADS: threads }),
        new RegExp(`Error: SHARPNESS_THREADS = "${threads}": expected a whole number from 1 to 1024`),
      );
  });
});

describe("the WASM engine", () => {
  it("has max pooling's gradient, which stock WASM gets wrong: 1 goes to the maximum 4 of 1, 4, 2, 3", async () => {
    await startEngine("wasm");

    const gradient = tf.tidy(() =>
      tf
        .grad((x: tf.Tensor) => tf.sum(tf.maxPool(x as tf.Tensor4D, 2, 2, "valid")))(tf.tensor4d([1, 4, 2, 3], [1, 2, 2, 1]))
        .dataSync(),
    );

    assert.deepEqual([...gradient], [0, 1, 0, 0]);
    await startEngine("native").catch(() => startEngine("cpu"));
  });

  // The sum of the image under each window of ones; the last column of the second image is under none.
  it("convolves with strides beyond the kernel, where stock WASM returns zeros", async () => {
    await startEngine("wasm");
    const [wide, long] = [tf.ones([1, 8, 8, 1]) as tf.Tensor4D, tf.ones([1, 1, 6, 1]) as tf.Tensor4D];
    const ones = (h: number, w: number) => tf.ones([h, w, 1, 1]) as tf.Tensor4D;

    const results = [
      tf.conv2d(wide, ones(3, 3), 4, "same"),
      tf.conv2d(long, ones(1, 2), 3, "same"),
      tf.depthwiseConv2d(long, ones(1, 2), 3, "same"),
      tf.fused.conv2d({ x: long, filter: ones(1, 2), strides: 3, pad: "same", activation: "relu" }),
    ].map((y) => [...y.dataSync()]);

    assert.deepEqual(results, [[9, 9, 9, 9], [2, 2], [2, 2], [2, 2]]); // prettier-ignore
    await startEngine("native").catch(() => startEngine("cpu"));
  });

  it("refuses the gradients of volume convolution and of dilation, which stock WASM gets wrong", async () => {
    await startEngine("wasm");
    const filter = tf.ones([2, 2, 2, 1, 1]) as tf.Tensor5D;
    const volumes = (x: tf.Tensor) => tf.sum(tf.conv3d(x as tf.Tensor5D, filter, 1, "same"));
    const dilation = (x: tf.Tensor) => tf.sum(tf.dilation2d(x as tf.Tensor4D, tf.ones([2, 2, 1]) as tf.Tensor3D, 1, "valid"));

    assert.throws(() => tf.grad(volumes)(tf.ones([1, 2, 2, 2, 1])), /Conv3DBackpropInputV2: TensorFlow.js's WASM engine/);
    assert.throws(() => tf.grad(dilation)(tf.ones([1, 3, 3, 1])), /Dilation2DBackpropInput: TensorFlow.js's WASM engine/);

    await startEngine("native").catch(() => startEngine("cpu"));
  });

  // Window 2, stride 2, "same" on a 1×3 row: the last window has one place, whose gradient is 1, not ½ or ¼.
  it("divides average pooling's gradient at a padded edge by the places that exist", async () => {
    for (const engine of ["wasm", "cpu"] as const) {
      await startEngine(engine);

      const gradient = tf.tidy(() =>
        tf
          .grad((x: tf.Tensor) => tf.sum(tf.avgPool(x as tf.Tensor4D, [1, 2], [1, 2], "same")))(tf.ones([1, 1, 3, 1]))
          .dataSync(),
      );

      assert.deepEqual([...gradient], [0.5, 0.5, 1]);
    }
    await startEngine("native").catch(() => startEngine("cpu"));
  });
});
