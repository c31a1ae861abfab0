/** Vision Transformer (Dosovitskiy et al. 2021): patches as tokens, a class token, learned positions, pre-norm blocks. */
import { checkOptions, tf } from "../engine";
import { conv, dense, dropout, layerNorm, truncated002, zeros } from "./layers";
import { checkCount, ModelBuilder, type Context, type Model } from "./model";

/** Options of `vit`. */
export interface VitOptions {
  readonly numClasses: number;
  /** height, width, channels; default 32×32×3 */
  readonly inputShape?: readonly [number, number, number];
  /** Side of a patch, pixels; default 4, for 32×32 images. */
  readonly patchSize?: number;
  /** Features of a token; default 192, as ViT-Ti (Touvron et al. 2021). */
  readonly width?: number;
  /** Blocks; default 12, as ViT-Ti. */
  readonly depth?: number;
  /** Default 3, as ViT-Ti; must divide `width`. */
  readonly heads?: number;
  /** Units of each block's hidden layer; default 4·width. */
  readonly mlpWidth?: number;
  /** After attention and after each block's layers; default 0. */
  readonly dropout?: number;
}

/** (n·tokens, features) */
type Tokens = tf.Tensor2D;
type TokenLayer = (x: Tokens, context: Context) => Tokens;

/** A Vision Transformer; ViT-B/16 (width 768, depth 12, 12 heads, 224×224, 1000 classes) has 86 567 656 parameters. */
export function vit(options: VitOptions): Model {
  checkOptions(
    options,
    {
      numClasses: "number",
      inputShape: "array",
      patchSize: "number",
      width: "number",
      depth: "number",
      heads: "number",
      mlpWidth: "number",
      dropout: "number",
    },
    "vit",
  );
  const { numClasses, inputShape = [32, 32, 3], patchSize = 4, width = 192, depth = 12, heads = 3 } = options;
  for (const [name, value] of Object.entries({ patchSize, width, depth, heads })) checkCount(name, value);
  if (width % heads !== 0) throw new Error(`heads = ${heads}: does not divide width = ${width}`);
  const builder = new ModelBuilder();
  const embed = conv(builder, "patches", { inputs: inputShape[2], outputs: width, kernel: patchSize, stride: patchSize, bias: true, init: truncated002 }); // prettier-ignore
  const tokens = 1 + Math.ceil(inputShape[0] / patchSize) * Math.ceil(inputShape[1] / patchSize);
  const withPositions = positions(builder, tokens, width);
  const shape = { tokens, width, heads, mlpWidth: options.mlpWidth ?? 4 * width, rate: options.dropout ?? 0 };
  const blocks = Array.from({ length: depth }, (_, i) => block(builder, `block${i}`, shape));
  const norm = layerNorm(builder, "norm", width);
  const head = dense(builder, "head", { inputs: width, outputs: numClasses, init: truncated002 });
  const name = `ViT/${patchSize} ${depth}×${width}`;
  const settings = { heads, dropout: options.dropout ?? 0 };
  return builder.build(name, { inputShape, numClasses, settings }, (x, context) => {
    if (x.shape[1] !== inputShape[0] || x.shape[2] !== inputShape[1])
      throw new Error(
        `${name}: x has shape [${x.shape.join(", ")}], expected (n, ${inputShape.join(", ")}): positions are learned`,
      );
    const features = blocks.reduce((h, layer) => layer(h, context), withPositions(embed(x, context), context));
    const classTokens = tf.slice(tf.reshape(features, [-1, tokens, width]), [0, 0, 0], [-1, 1, width]);
    return head(norm(tf.reshape(classTokens, [-1, width]), context), context);
  });
}

/** The class token before the patches, and a learned offset for each place. */
function positions(builder: ModelBuilder, tokens: number, width: number): (x: tf.Tensor4D, context: Context) => Tokens {
  const classToken = builder.parameter("class", [1, 1, width], zeros);
  const offsets = builder.parameter("positions", [1, tokens, width], truncated002);
  return (x, { weights }) => {
    const n = x.shape[0];
    const patches = tf.reshape(x, [n, tokens - 1, width]);
    const first = tf.tile(weights[classToken]!, [n, 1, 1]);
    return tf.reshape(tf.add(tf.concat([first, patches], 1), weights[offsets]!), [n * tokens, width]);
  };
}

interface BlockOptions {
  readonly tokens: number;
  readonly width: number;
  readonly heads: number;
  readonly mlpWidth: number;
  readonly rate: number;
}

function block(builder: ModelBuilder, name: string, options: BlockOptions): TokenLayer {
  const { width, mlpWidth, rate } = options;
  const norm1 = layerNorm(builder, `${name}/norm1`, width);
  const attend = attention(builder, `${name}/attention`, options);
  const norm2 = layerNorm(builder, `${name}/norm2`, width);
  const widen = dense(builder, `${name}/mlp/1`, { inputs: width, outputs: mlpWidth, init: truncated002 });
  const narrow = dense(builder, `${name}/mlp/2`, { inputs: mlpWidth, outputs: width, init: truncated002 });
  const [drop1, drop2] = [dropout(`${name}/attention`, rate), dropout(`${name}/mlp`, rate)];
  return (x, context) => {
    const mixed = tf.add(x, drop1(attend(norm1(x, context), context), context)) as Tokens;
    const hidden = gelu(widen(norm2(mixed, context), context));
    return tf.add(mixed, drop2(narrow(hidden, context), context));
  };
}

/** softmax(QKᵀ/√d)·V in each head (Vaswani et al. 2017); queries, keys and values come from one dense layer. */
function attention(builder: ModelBuilder, name: string, { tokens, width, heads }: BlockOptions): TokenLayer {
  const project = dense(builder, `${name}/qkv`, { inputs: width, outputs: 3 * width, init: truncated002 });
  const join = dense(builder, `${name}/out`, { inputs: width, outputs: width, init: truncated002 });
  const perHead = width / heads;
  return (x, context) => {
    const all = tf.reshape(project(x, context), [-1, tokens, 3, heads, perHead]);
    const [q, k, v] = tf.unstack(tf.transpose(all, [2, 0, 3, 1, 4])) as tf.Tensor4D[]; // each (n, heads, tokens, perHead)
    const scores = tf.softmax(tf.mul(tf.matMul(q!, k!, false, true), 1 / Math.sqrt(perHead)));
    const mixed = tf.transpose(tf.matMul(scores, v!), [0, 2, 1, 3]);
    return join(tf.reshape(mixed, [-1, width]), context);
  };
}

/** x·Φ(x), Φ the normal distribution function (Hendrycks and Gimpel 2016). */
function gelu(x: Tokens): Tokens {
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
}
