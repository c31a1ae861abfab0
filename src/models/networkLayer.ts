/** A network of this kit as a TensorFlow.js layers model, for code that wants `predict`, `fit` or `evaluate`. */
import { checkOptions, Rng, tf } from "../engine";
import type { Model, Variables } from "./model";

/** Options of `toLayersModel`. */
export interface ToLayersModelOptions {
  /** Default "probabilities", which the stock losses and metrics take; "logits" leaves the softmax out. */
  readonly output?: "probabilities" | "logits";
}

/**
 * A layers model of one layer that computes the network; it has copies of the variables, named as the network's. `fit` trains them,
 * batch norm's averages and dropout included. `model.save` cannot describe the network: keep its weights with `saveVariables` of
 * `{ weights, stats }` that `readNetworkVariables` gives.
 * @throws if a variable is missing
 */
export function toLayersModel(model: Model, variables: Variables, options: ToLayersModelOptions = {}): tf.LayersModel {
  checkOptions(options, { output: { values: ["probabilities", "logits"] } }, "toLayersModel");
  const { output = "probabilities" } = options;
  const input = tf.input({ shape: [...model.inputShape] });
  const layer = new NetworkLayer(model, output === "probabilities");
  const layersModel = tf.model({ inputs: input, outputs: layer.apply(input) as tf.SymbolicTensor, name: model.name });
  layer.write(variables);
  return layersModel;
}

/** Copies of the variables that a model of `toLayersModel` has now; the caller owns them. */
export function readNetworkVariables(layersModel: tf.LayersModel): Variables {
  const layer = layersModel.layers.find((each): each is NetworkLayer => each instanceof NetworkLayer);
  if (!layer) throw new Error(`${layersModel.name} was not made by toLayersModel`);
  return layer.read();
}

type Slots = Readonly<Record<string, ReturnType<tf.layers.Layer["addWeight"]>>>;

/** The one layer of such a model. */
export class NetworkLayer extends tf.layers.Layer {
  static readonly className = "SharpnessLabNetwork";
  private parameters: Slots = {};
  private statistics: Slots = {};

  constructor(
    private readonly model: Model,
    private readonly softmax: boolean,
  ) {
    super({});
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const slots = (specs: Model["parameters"], trainable: boolean) =>
      Object.fromEntries(
        specs.map(({ name, shape }) => {
          const zeros = tf.initializers.zeros();
          return [name, this.addWeight(name, [...shape], "float32", zeros, undefined, trainable)];
        }),
      );
    this.parameters = slots(this.model.parameters, true);
    this.statistics = slots(this.model.statistics, false);
    super.build(inputShape);
  }

  override computeOutputShape([batch]: tf.Shape): tf.Shape {
    return [batch!, this.model.numClasses];
  }

  override call(inputs: tf.Tensor | tf.Tensor[], { training = false }: { training?: boolean }): tf.Tensor {
    const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor4D;
    return tf.tidy(() => {
      const mode = training ? { training, rng: stockStream() } : {};
      const before = values(this.statistics);
      const { logits, stats } = this.model.apply(values(this.parameters), x, { ...mode, stats: before });
      if (training) for (const [name, slot] of Object.entries(this.statistics)) slot.write(stats[name]!);
      return this.softmax ? tf.softmax(logits) : logits;
    });
  }

  write({ weights, stats }: Variables): void {
    const given = { ...weights, ...stats };
    for (const [name, slot] of Object.entries({ ...this.parameters, ...this.statistics })) {
      const value = given[name];
      if (!value) throw new Error(`${this.model.name}: no value for ${name}`);
      slot.write(value);
    }
  }

  read(): Variables {
    const copies = (slots: Slots) => Object.fromEntries(Object.entries(values(slots)).map(([name, t]) => [name, tf.clone(t)]));
    return tf.tidy(() => ({ weights: copies(this.parameters), stats: copies(this.statistics) }));
  }

  override getConfig(): tf.serialization.ConfigDict {
    throw new Error(`${this.model.name} is code, which model.save cannot keep: saveVariables(file, readNetworkVariables(model))`);
  }
}

function values(slots: Slots): Record<string, tf.Tensor> {
  return Object.fromEntries(Object.entries(slots).map(([name, slot]) => [name, slot.read()]));
}

// Drawn as stock dropout draws: code that fixes its masks, as SAM does for its two passes, fixes these too.
function stockStream(): Rng {
  // eslint-disable-next-line no-restricted-properties
  return new Rng(Math.random());
}
