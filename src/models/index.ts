export { countParameters, ModelBuilder, withResizedInput } from "./model";
export type { ApplyMode, Context, Head, Initializer, Layer, Model, ModelOutput, ParameterSpec, Variables } from "./model";
export { multiplyAdds } from "./cost";
export { convNet, type ConvNetOptions } from "./convNet";
export {
  efficientNet,
  efficientNetScales,
  type EfficientNetOptions,
  type EfficientNetScale,
  type EfficientNetVariant,
} from "./efficientNet";
export { fromLayersModel, writeToLayersModel, type FromLayersModelOptions } from "./layersModel";
export { mlp, type MlpOptions } from "./mlp";
export { readNetworkVariables, toLayersModel, type ToLayersModelOptions } from "./networkLayer";
export { networkInNetwork, type NetworkInNetworkOptions } from "./networkInNetwork";
export { loadPretrained, withPretrained, type PretrainedOptions } from "./pretrained";
export { pyramidNet, type PyramidNetOptions } from "./pyramidNet";
export { resNetCifar, type ResNetCifarOptions } from "./resNetCifar";
export { resNetImageNet, type ResNetImageNetOptions } from "./resNetImageNet";
export { loadVariables, readSafetensors, readSafetensorsMetadata, saveVariables, writeSafetensors } from "./safetensors";
export { shakeShake, type ShakeShakeOptions } from "./shakeShake";
export { vgg, type VggOptions } from "./vgg";
export { vit, type VitOptions } from "./vit";
export { wideResNet, type WideResNetOptions } from "./wideResNet";
