export { tf } from "./tf";
export { Rng } from "./rng";
export * from "./weights";
