export * from "./figures";
export * from "./render";
export * from "./tables";
export { type FigureSpec, type FigureTitle, palette } from "./theme";
