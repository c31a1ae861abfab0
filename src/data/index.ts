export * from "./dataset";
export * from "./batches";
export * from "./augment";
export * from "./idx";
export * from "./fashionMnist";
export * from "./synthetic";
export * from "./labelNoise";
export * from "./noiseFiles";
