export { countParameters, ModelBuilder } from "./model";
export type { ApplyMode, Context, Head, Initializer, Layer, Model, ModelOutput, ParameterSpec, Variables } from "./model";
export { convNet, type ConvNetOptions } from "./convNet";
export { mlp, type MlpOptions } from "./mlp";
export { resNetCifar, type ResNetCifarOptions } from "./resNetCifar";
export { wideResNet, type WideResNetOptions } from "./wideResNet";
