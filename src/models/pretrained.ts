/** Networks that start from trained variables instead of random ones, as finetuning does (paper section 3.2). */
import { createHash } from "node:crypto";
import { checkOptions, tf, type Rng, type Weights } from "../engine";
import type { Model, ParameterSpec, Variables } from "./model";
import { readVariables } from "./safetensors";

/** Options of `loadPretrained` and `withPretrained`. */
export interface PretrainedOptions {
  /** True: the last layer starts at random and may have another number of classes than the trained one. Default true: the paper's finetuning. */
  readonly newHead?: boolean;
}

/**
 * The same network, whose `init` gives the variables of a safetensors file: `saveVariables` wrote it, or another program under the
 * same names (src/models/WEIGHTS.md).
 * @throws an Error that lists the names that are missing or unknown, or the shapes that differ
 */
export function loadPretrained(file: string | Uint8Array, model: Model, options: PretrainedOptions = {}): Model {
  checkOptions(options, { newHead: "boolean" }, "loadPretrained");
  const { newHead = true } = options;
  const variables = readVariables(file, model, newHead ? isHead : () => false);
  try {
    return withPretrained(model, variables, { newHead });
  } finally {
    tf.dispose([...Object.values(variables.weights), ...Object.values(variables.stats)]);
  }
}

/**
 * The same network, whose `init` gives these variables; they are copied. Its name ends with a digest of them.
 * @throws if a variable is missing or has another shape
 */
export function withPretrained(model: Model, variables: Variables, options: PretrainedOptions = {}): Model {
  checkOptions(options, { newHead: "boolean" }, "withPretrained");
  const { newHead = true } = options;
  const kept = model.parameters.filter(({ name }) => !newHead || !isHead(name));
  const weights = valuesOf(kept, variables.weights);
  const stats = valuesOf(model.statistics, variables.stats);
  return {
    ...model,
    name: `${model.name} from ${digest([...weights.values(), ...stats.values()])}`,
    init: (rng) => ({
      weights: startOf(model.parameters, weights, rng),
      stats: startOf(model.statistics, stats, rng),
    }),
  };
}

/** All networks of this kit name their last layer "head". */
function isHead(name: string): boolean {
  return name.startsWith("head/");
}

function valuesOf(specs: readonly ParameterSpec[], tensors: Weights): Map<string, Float32Array> {
  return new Map(
    specs.map(({ name, shape }) => {
      const tensor = tensors[name];
      if (String(tensor?.shape) !== String(shape))
        throw new Error(`${name} is ${tensor ? `[${tensor.shape.join(", ")}]` : "missing"}, expected [${shape.join(", ")}]`);
      return [name, tensor!.dataSync<"float32">().slice()];
    }),
  );
}

// Parameters without given values start as they would without any: each has its own random stream.
function startOf(specs: readonly ParameterSpec[], values: ReadonlyMap<string, Float32Array>, rng: Rng): Weights {
  return Object.fromEntries(
    specs.map(({ name, shape, init }) => {
      const start = values.get(name)?.slice() ?? init(rng.split(name), shape);
      return [name, tf.tensor(start, [...shape], "float32")];
    }),
  );
}

function digest(values: readonly Float32Array[]): string {
  const hash = createHash("sha256");
  for (const each of values) hash.update(each);
  return hash.digest("hex").slice(0, 8);
}
