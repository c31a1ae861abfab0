/** Networks in a run's config: which there are, with which options, and how each is built. */
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

const count = z.int().min(1);
const rate = z.number().min(0).lt(1);

/** Defaults are those of the network's own function. Options for weights from elsewhere, such as PyTorch's padding, are not here. */
export const networkSchema = z.discriminatedUnion("name", [
  z.strictObject({
    name: z.literal("wideResNet"),
    depth: z.int(),
    widen: z.int(),
    batchNorm: z.boolean().default(true),
    dropout: rate.default(0),
  }),
  z.strictObject({
    name: z.literal("convNet"),
    widths: z.array(count).min(1).default([16, 32, 64]),
    batchNorm: z.boolean().default(true),
  }),
  z.strictObject({
    name: z.literal("mlp"),
    hidden: z.array(count).default([128]),
    activation: z.enum(["relu", "tanh", "softplus"]).default("relu"),
  }),
  z.strictObject({
    name: z.literal("resNetCifar"),
    depth: z.int(),
    width: count.default(16),
    skipConnections: z.boolean().default(true),
    batchNorm: z.boolean().default(true),
  }),
  z.strictObject({ name: z.literal("shakeShake"), depth: z.int().default(26), width: count.default(96) }),
  z.strictObject({
    name: z.literal("pyramidNet"),
    depth: z.int().default(272),
    alpha: count.default(200),
    shakeDrop: z.boolean().default(false),
  }),
  z.strictObject({
    name: z.literal("resNetImageNet"),
    depth: z.union([z.literal(14), z.literal(26), z.literal(50), z.literal(101), z.literal(152)]),
    width: count.default(64),
  }),
  z.strictObject({
    name: z.literal("efficientNet"),
    variant: z.enum(["b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7", "l2"]),
    dropConnect: rate.default(0.2),
  }),
  z.strictObject({
    name: z.literal("vit"),
    patchSize: count.default(4),
    width: count.default(192),
    depth: count.default(12),
    heads: count.default(3),
    dropout: rate.default(0),
  }),
  z.strictObject({
    name: z.literal("vgg"),
    depth: z.union([z.literal(11), z.literal(13), z.literal(16), z.literal(19)]),
    width: count.default(64),
    batchNorm: z.boolean().default(true),
    hidden: z.array(count).default([]),
    dropout: rate.default(0),
  }),
  z.strictObject({
    name: z.literal("networkInNetwork"),
    width: count.default(192),
    batchNorm: z.boolean().default(true),
    dropout: rate.default(0.5),
  }),
]);

export type NetworkConfig = z.output<typeof networkSchema>;
export type NetworkOptions = z.input<typeof networkSchema>;

/** Fields of a network's config that have no default: they are part of a run's key whatever their value. */
export function requiredFields(name: NetworkConfig["name"]): readonly string[] {
  const { shape } = networkSchema.options.find((option) => option.shape.name.value === name)!;
  return Object.entries(shape)
    .filter(([, field]) => !field.safeParse(undefined).success)
    .map(([field]) => field);
}

/** The same network with nothing but what it needs: its other options have their defaults. */
export function bareNetwork(network: NetworkConfig): NetworkOptions {
  const needed = requiredFields(network.name);
  return Object.fromEntries(Object.entries(network).filter(([field]) => needed.includes(field))) as NetworkOptions;
}

/** @throws where the options do not go together, such as a depth that the network cannot have */
export function buildNetwork(network: NetworkConfig, forData: Pick<Model, "inputShape" | "numClasses">): Model {
  switch (network.name) {
    case "wideResNet":
      return wideResNet({ ...network, ...forData });
    case "convNet":
      return convNet({ ...network, ...forData });
    case "mlp":
      return mlp({ ...network, ...forData });
    case "resNetCifar":
      return resNetCifar({ ...network, ...forData });
    case "shakeShake":
      return shakeShake({ ...network, ...forData });
    case "pyramidNet":
      return pyramidNet({ ...network, ...forData });
    case "resNetImageNet":
      return resNetImageNet({ ...network, ...forData });
    case "efficientNet":
      return efficientNet({ ...network, ...forData });
    case "vit":
      return vit({ ...network, ...forData });
    case "vgg":
      return vgg({ ...network, ...forData });
    case "networkInNetwork":
      return networkInNetwork({ ...network, ...forData });
  }
}

/** "WRN-10-1", "ConvNet 16-32-64", "ResNet-20 without skip connections". */
export function describeNetwork(options: NetworkOptions): string {
  const network = networkSchema.parse(options);
  if (network.name === "convNet") return `ConvNet ${network.widths.join("-")}`;
  if (network.name === "mlp") return `MLP ${network.hidden.join("-")}`;
  return buildNetwork(network, { inputShape: [32, 32, 3], numClasses: 10 }).name;
}
