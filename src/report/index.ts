export * from "./figures";
export * from "./render";
export { runSummary } from "./runSummary";
export * from "./tables";
export { type FigureSpec, type FigureTitle, palette } from "./theme";
export { insertTable, readmeMarkers, readmeTable, verdict } from "./readmeTable";
export type { ReadmeItem, ResultSummary } from "./readmeTable";
export { readmeItems } from "./summaries";
