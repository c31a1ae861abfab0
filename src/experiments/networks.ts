/** Networks in a run's config. A new one is its file in src/models, that folder's index, and an entry here. */
import { z } from "zod";
import {
  convNet,
  efficientNet,
  mlp,
  networkInNetwork,
  pyramidNet,
  resNetCifar,
  resNetImageNet,
  shakeShake,
  vgg,
  vit,
  wideResNet,
  type Model,
} from "../models";

type ForData = Pick<Model, "inputShape" | "numClasses">;
type OptionsOf<Shape extends z.ZodRawShape> = z.output<z.ZodObject<Shape>>;

interface More<Shape extends z.ZodRawShape> {
  /** Words for tables and captions; default: the built network's own name. */
  readonly describe?: (options: OptionsOf<Shape>) => string;
  /** Today's name of an option → the name in records made before it changed. Configs may use either; keys are made with the old one. */
  readonly formerly?: Readonly<Record<string, string>>;
}

/** A network by the fields of its config and the function that builds it. */
function network<Shape extends z.ZodRawShape>(
  shape: Shape,
  build: (options: OptionsOf<Shape> & ForData) => Model,
  more: More<Shape> = {},
) {
  return { shape, build, ...more };
}

const count = z.int().min(1).max(65_536); // ours: no network of the field is as wide
const depth = z.int().max(10_000);
const rate = z.number().min(0).lt(1);

/** Defaults are those of the network's own function. Options for weights from elsewhere, such as PyTorch's padding, are not here. */
const networks = {
  wideResNet: network(
    { depth, widenFactor: z.int(), batchNorm: z.boolean().default(true), dropout: rate.default(0) },
    (options) => wideResNet(options),
    { formerly: { widenFactor: "widen" } },
  ),
  convNet: network(
    { widths: z.array(count).min(1).default([16, 32, 64]), batchNorm: z.boolean().default(true) },
    (options) => convNet(options),
    { describe: ({ widths }) => `ConvNet ${widths.join("-")}` },
  ),
  mlp: network(
    { hidden: z.array(count).default([128]), activation: z.enum(["relu", "tanh", "softplus"]).default("relu") },
    (options) => mlp(options),
    { describe: ({ hidden }) => `MLP ${hidden.join("-")}` },
  ),
  resNetCifar: network(
    { depth, width: count.default(16), skipConnections: z.boolean().default(true), batchNorm: z.boolean().default(true) },
    (options) => resNetCifar(options),
  ),
  shakeShake: network({ depth: depth.default(26), width: count.default(96) }, (options) => shakeShake(options)),
  pyramidNet: network(
    { depth: depth.default(272), alpha: count.default(200), shakeDrop: z.boolean().default(false) },
    (options) => pyramidNet(options),
  ),
  resNetImageNet: network(
    {
      depth: z.union([z.literal(14), z.literal(26), z.literal(50), z.literal(101), z.literal(152)]),
      width: count.default(64),
    },
    (options) => resNetImageNet(options),
  ),
  efficientNet: network(
    { variant: z.enum(["b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7", "l2"]), dropConnect: rate.default(0.2) },
    (options) => efficientNet(options),
  ),
  vit: network(
    {
      patchSize: count.default(4),
      width: count.default(192),
      depth: count.default(12),
      heads: count.default(3),
      dropout: rate.default(0),
    },
    (options) => vit(options),
  ),
  vgg: network(
    {
      depth: z.union([z.literal(11), z.literal(13), z.literal(16), z.literal(19)]),
      width: count.default(64),
      stages: z.int().min(1).max(5).default(5),
      batchNorm: z.boolean().default(true),
      hidden: z.array(count).default([]),
      dropout: rate.default(0),
    },
    (options) => vgg(options),
  ),
  networkInNetwork: network(
    {
      width: count.default(192),
      blocks: z.int().min(2).max(100).default(3),
      batchNorm: z.boolean().default(true),
      dropout: rate.default(0.5),
    },
    (options) => networkInNetwork(options),
  ),
};

type Networks = typeof networks;
export type NetworkName = keyof Networks;

export const networkNames = Object.keys(networks) as NetworkName[];

/** A network with every default filled in. */
export type NetworkConfig = { [Name in NetworkName]: { readonly name: Name } & OptionsOf<Networks[Name]["shape"]> }[NetworkName];

/** A network as it is written down: its name, and the options that are not left at their defaults. */
export type NetworkOptions =
  | { [Name in NetworkName]: { readonly name: Name } & z.input<z.ZodObject<Networks[Name]["shape"]>> }[NetworkName]
  | FormerWideResNet;

/** The spelling of records made before `widenFactor` had the field's name. */
type FormerWideResNet = { readonly name: "wideResNet"; readonly widen: number } & Omit<
  z.input<z.ZodObject<Networks["wideResNet"]["shape"]>>,
  "widenFactor"
>;

const kinds = networkNames.map((name) => z.strictObject({ name: z.literal(name), ...networks[name].shape }));
const shapes = new Map(kinds.map(({ shape }) => [shape.name.value, shape as z.ZodRawShape]));

/** Knows today's names of the options alone. */
export const networkSchema = z.discriminatedUnion("name", kinds as [(typeof kinds)[0]]) as unknown as z.ZodType<
  NetworkConfig,
  NetworkOptions
>;

/** The fields of one network's config. */
export function networkShape(name: NetworkName): z.ZodRawShape {
  return shapes.get(name)!;
}

/** A network of unchecked input with today's names of its options. Beside a new name the old one stays, and is refused later. */
export function withTodaysNames(network: unknown): unknown {
  if (network === null || typeof network !== "object") return network;
  const renamed = Object.entries(formerNames((network as { name?: unknown }).name))
    .filter(([today, old]) => old in network && !(today in network))
    .map(([today, old]) => [old, today] as const);
  if (renamed.length === 0) return network;
  const today = new Map<string, string>(renamed);
  return Object.fromEntries(Object.entries(network).map(([key, value]) => [today.get(key) ?? key, value]));
}

/** Today's names of a network's options → those that keys are made with, where they differ. */
export function formerNames(name: unknown): Readonly<Record<string, string>> {
  return Object.hasOwn(networks, String(name)) ? (networks[name as NetworkName].formerly ?? {}) : {};
}

/** @throws if the options do not go together, such as a depth that the network cannot have */
export function buildNetwork({ name, ...options }: NetworkConfig, forData: ForData): Model {
  // Which options go with which name, TypeScript does not follow.
  const build = networks[name].build as (options: object) => Model;
  return build({ ...options, ...forData });
}

/** "WRN-10-1", "ConvNet 16-32-64", "ResNet-20 without skip connections". */
export function describeNetwork(options: NetworkOptions): string {
  const network = networkSchema.parse(withTodaysNames(options));
  const describe = networks[network.name].describe as ((options: object) => string) | undefined;
  return describe?.(network) ?? buildNetwork(network, { inputShape: [32, 32, 3], numClasses: 10 }).name;
}
