import assert from "node:assert/strict";
import { hasDataset, needsOf } from "../../src/experiments/needs";
import type { RunOptions } from "../../src/experiments/config";
import { tinyRun } from "../support/records";

const on = (name: RunOptions["dataset"]["name"]) => tinyRun({}, { dataset: { name } });

describe("experiments/needs", () => {
  it("Runs of one set need it once, with the address and size of each file and the folder where it belongs", () => {
    const [need, ...others] = needsOf([on("svhn"), on("svhn")]);

    assert.equal(others.length, 0);
    assert.equal(need!.title, "SVHN");
    assert.match(need!.target, /data\/cache\/svhn$/);
    assert.deepEqual(need!.files.map(({ bytes }) => bytes), [182_040_794, 64_275_384, 1_329_278_602]); // prettier-ignore
    assert.equal(need!.here, hasDataset("svhn"));
  });

  it("Generated images need nothing", () => {
    assert.deepEqual(needsOf([on("generated")]), []);
    assert.equal(hasDataset("generated"), true);
  });

  it("A set without files is reported as missing", () => {
    assert.deepEqual([hasDataset("imagenet"), hasDataset("birdsnap")], [false, false]);
  });

  it("Finetuning needs the data of its pretraining, or the file", () => {
    const pretrained = {
      ...on("generated"),
      finetune: { from: { dataset: { name: "mnist" }, training: { epochs: 1 } } },
    } as const;
    const brought = { ...on("generated"), finetune: { from: { file: "b7.safetensors" } } } as const;

    const needs = needsOf([pretrained, brought]);

    assert.deepEqual(needs.map(({ title }) => title), ["MNIST", "the network b7.safetensors"]); // prettier-ignore
    assert.match(needs[1]!.target, /data\/cache\/weights\/b7\.safetensors$/);
  });
});
