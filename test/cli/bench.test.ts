/** The benchmark: all its contenders compute the same thing, and its JSON has the keys that programs read. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { Training, inferenceLoss, withStockGradients } from "../../src/cli/bench/contenders";
import { stockWideResNet10 } from "../../src/cli/bench/stock";
import { benchTable } from "../../src/cli/bench/table";
import { findTorchPython, TorchProcess } from "../../src/cli/bench/torch";
import { makeWorkload, type Workload } from "../../src/cli/bench/workload";
import { cloneWeights, dotWeights, hessianVectorProduct, tf } from "../../src/engine";

const root = path.join(__dirname, "../..");
const STEPS = 2;

describe("the benchmark", function () {
  this.timeout(600_000);
  let workload: Workload;
  before(async () => (workload = await makeWorkload({ batchSize: 8, trainingImages: 8, numImages: 8 })));
  after(() => tf.dispose([workload.batch.images, workload.batch.targets, workload.initial.weights, workload.initial.stats]));

  function losses(model = workload.model): number[] {
    const training = new Training(model, workload.sam, workload);
    const result = Array.from({ length: STEPS }, () => training.step()).flat();
    training.dispose();
    return result;
  }

  it("trains the same network with stock gradients as with ours", () => {
    const stock = withStockGradients(() => losses(stockWideResNet10(workload.model)));

    assertSameSteps(losses(), stock);
  });

  it("has PyTorch take the same SAM steps, and measure the same curvature", async function (this: Mocha.Context) {
    const python = findTorchPython(root);
    if (!python) this.skip();
    const torch = new TorchProcess(python, 1, root);
    await torch.setUp(workload, 1);

    const trace = await torch.trace(STEPS, workload.sam.rho);
    torch.stop();

    const { weights } = workload.initial;
    const vector = cloneWeights(weights); // The weights themselves would be differentiated as well.
    const product = hessianVectorProduct(inferenceLoss(workload), weights, vector);
    assertSameSteps(losses(), trace.losses.flat());
    assertClose([dotWeights(weights, product)], [trace.curvature], 1e-4);
    tf.dispose([product, vector]);
  });

  for (const network of [{ kind: "wideResNet", depth: 16, widenFactor: 1 }, { kind: "convNet", widths: [4, 8, 8] }, { kind: "mlp", hidden: [8, 8] }] as const)
    it(`has PyTorch take the same SAM steps of a ${network.kind}`, async function (this: Mocha.Context) {
      const python = findTorchPython(root);
      if (!python) this.skip();
      const own = await makeWorkload({ batchSize: 8, trainingImages: 8, numImages: 8, network });
      const torch = new TorchProcess(python, 1, root);
      await torch.setUp(own, 1);

      const trace = await torch.trace(STEPS, own.sam.rho);
      torch.stop();

      const training = new Training(own.model, own.sam, own);
      assertSameSteps(Array.from({ length: STEPS }, () => training.step()).flat(), trace.losses.flat());
      training.dispose();
    }); // prettier-ignore

  it("times networks of several sizes, eager and replayed, and prints a table of ratios", () => {
    const args = ["--import", "tsx", "src/cli/bench.ts", "--networks", "--quick", "--rounds", "1", "--threads", "1"];
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });

    assert.match(stdout, /batch 8, threads: 1; medians of time, ratios of processor time/, stderr);
    for (const name of ["MLP-256-256", "ConvNet-16-32-64"])
      for (const task of ["SGD step", "SAM step", "evaluation"])
        assert.match(stdout, new RegExp(`${name} +${task} +[\\d.]+ ms +[\\d.]+ ms .* \\d+\\.\\d\\d`), stdout);
  });

  it("profiles a step: the shares of all kernels and of what is outside of them add up to one", () => {
    const args = ["--import", "tsx", "src/cli/bench.ts", "--profile", "--quick", "--json", "--rounds", "1", "--threads", "1"];
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });

    const { kernels, outside, network } = JSON.parse(stdout || stderr);
    assert.equal(network, "WRN-10-2");
    const total = kernels.reduce((sum: number, { share }: { share: number }) => sum + share, outside.share);
    assertClose([total], [1], 1e-9);
    // Seven convolutions, forward in two passes.
    assert.equal(kernels.find(({ kernel }: { kernel: string }) => kernel === "Conv2D").count, 14);
  });

  it("prints one JSON object with medians in milliseconds, null where something cannot be measured", () => {
    const args = ["--import", "tsx", "src/cli/bench.ts", "--json", "--quick", "--rounds", "1", "--threads", "1"];
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });

    assert.ok(stdout, stderr);
    const result = JSON.parse(stdout);
    assert.deepEqual(shape(result), shape(EXPECTED), stderr);
    assert.equal(result.threads, 1);
    for (const number of numbers(result)) assert.ok(number > 0, stdout);
  });

  it("says which aims were missed", () => {
    const about = { batchSize: 128, numImages: 128, data: "fashion-mnist", torch: "2" };

    const text = benchTable({ result: EXPECTED, about });

    // 21/10 = 2.10, 10/20 = 0.50, 10/10 = 1.00 and 60/10 = 6.00, 104/100 = 1.04
    assert.match(text, /SAM step ÷ SGD step, ours +2\.10 +aim: at most 2\.1 +reached/);
    assert.match(text, /SGD step, ours ÷ stock gradients +0\.50 +aim: at most 0\.4 +MISSED/);
    assert.match(text, /SGD step, ours ÷ PyTorch +1\.00 +aim: at most 1\.0 +reached/);
    assert.match(text, /Hessian-vector product ÷ gradient, ours +6\.00 +aim: at most 5\.0 +MISSED/);
    assert.match(text, /SGD step, batches from the pipeline ÷ prepared +1\.04 +aim: at most 1\.05 +reached/);
  });

  it("leaves out the ratios to what was not measured", () => {
    const result = { ...EXPECTED, sgdStep: { ours: 10, stock: 20, torch: null } };

    const text = benchTable({ result, about: { batchSize: 128, numImages: 128, data: "fashion-mnist" } });

    assert.match(text, /SGD step, ours ÷ PyTorch +not measured/);
  });
});

const EXPECTED = {
  sgdStep: { ours: 10, stock: 20, torch: 10 },
  samStep: { ours: 21, stock: 60, torch: 20 },
  hvp: { ours: 60, torch: 60, gradient: 10 },
  inputPipeline: { prepared: 100, pipeline: 104, mainThread: 106 },
  lambdaMax: {
    lanczos: { products: 20, ms: 20, value: 1 },
    powerIteration: { products: 100, ms: 100, value: 1 },
  },
  threads: 1,
  engine: "native",
};

/** The keys alone, in order, however deep. */
function shape(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return "value";
  return Object.entries(value).map(([key, part]) => [key, shape(part)]);
}

function numbers(value: unknown): number[] {
  if (typeof value === "number") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(numbers) : [];
}

// Before the first update float32's rounding alone differs. Then an activation that one library rounds to just above zero and
// another to just below has its slope in one gradient only: of eight images, such a one moves a gradient by some thousandths.
function assertSameSteps(actual: number[], expected: number[]): void {
  assertClose(actual.slice(0, 2), expected.slice(0, 2), 1e-4);
  assertClose(actual.slice(2), expected.slice(2), 0.01);
}

function assertClose(actual: number[], expected: number[], tolerance: number): void {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, i) =>
    assert.ok(Math.abs(value - expected[i]!) <= tolerance * Math.abs(expected[i]!), `${actual} and ${expected}`),
  );
}
