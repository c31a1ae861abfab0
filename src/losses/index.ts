export { crossEntropy, smoothLabels, type CrossEntropyOptions } from "./crossEntropy";
