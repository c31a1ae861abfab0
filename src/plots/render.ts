/** From a vega-lite or vega specification to SVG and PNG, without a browser, a canvas or system fonts. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { writeFileAtomic } from "../data/files";
import type { FigureSpec } from "./theme";

export interface RenderOptions {
  /** called with each warning of vega and vega-lite; by default a warning is an error */
  readonly onWarning?: (message: string) => void;
}

export interface PngOptions extends RenderOptions {
  /** pixels of the PNG for each pixel of the figure */
  readonly scale?: number; // 2: sharp on dense screens
}

/** A specification as SVG text. The same specification gives the same text. */
export async function renderSvg(spec: FigureSpec, { onWarning = fail }: RenderOptions = {}): Promise<string> {
  const vega = await loadVega();
  const logger = loggerTo(onWarning);
  const isVega = String(spec.$schema ?? "").includes("/schema/vega/");
  const compiled = isVega ? spec : (await loadVegaLite()).compile(spec as never, { logger }).spec;
  const view = new vega.View(vega.parse(compiled as never), { renderer: "none", logger });
  try {
    return namedByContent(await view.toSVG());
  } finally {
    view.finalize();
  }
}

/** A specification, or SVG text, as PNG, with the kit's own font. */
export async function renderPng(figure: FigureSpec | string, { scale = 2, ...options }: PngOptions = {}): Promise<Buffer> {
  const svg = typeof figure === "string" ? figure : await renderSvg(figure, options);
  const { Resvg } = await import("@resvg/resvg-js");
  const font = { fontFiles: Object.values(fontFiles()), loadSystemFonts: false, defaultFontFamily: "Inter" };
  return new Resvg(svg, { font, fitTo: { mode: "zoom", value: scale }, background: "white" }).render().asPng();
}

export interface SaveFigureOptions extends PngOptions {
  /** the project's figures/ by default */
  readonly folder?: string;
}

/** Writes figures/<name>.svg and <name>.png, each whole or not at all. Returns both paths. */
export async function saveFigure(
  name: string,
  spec: FigureSpec,
  { folder = path.join(__dirname, "../../figures"), ...options }: SaveFigureOptions = {},
): Promise<{ svg: string; png: string }> {
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name)) throw new Error(`A figure's name is like figure-3-spectra, got "${name}"`);
  const svg = await renderSvg(spec, options);
  const png = await renderPng(svg, options);
  const files = { svg: path.join(folder, `${name}.svg`), png: path.join(folder, `${name}.png`) };
  await writeChanged(files.svg, svg + "\n");
  await writeChanged(files.png, png);
  return files;
}

/** A file with the same content is left alone. */
async function writeChanged(file: string, content: string | Buffer): Promise<void> {
  const old = await readFile(file).catch(() => undefined);
  if (!old?.equals(Buffer.from(content))) await writeFileAtomic(file, content);
}

type Vega = typeof import("vega");
let vegaLibrary: Promise<Vega> | undefined;

function loadVega(): Promise<Vega> {
  return (vegaLibrary ??= import("vega").then((vega) => measureWithOurFont(vega)));
}

function loadVegaLite(): Promise<typeof import("vega-lite")> {
  return import("vega-lite");
}

interface TextItem {
  fontSize?: number;
  fontWeight?: string | number;
}

/** Without a canvas vega takes 0.8 em a character, half as much again as the truth: labels would be dropped and legends torn apart. */
async function measureWithOurFont(vega: Vega): Promise<Vega> {
  const { loadSync } = (await import("opentype.js")).default;
  const fonts = { regular: loadSync(fontFiles().regular), bold: loadSync(fontFiles().bold) };
  const widths = new Map<string, number>();
  const width = ({ fontSize = 11, fontWeight }: TextItem, text: unknown) => {
    const face = fontWeight === "bold" || Number(fontWeight) >= 600 ? "bold" : "regular";
    const key = `${face} ${text}`;
    if (!widths.has(key)) widths.set(key, fonts[face].getAdvanceWidth(String(text ?? ""), 1));
    return widths.get(key)! * fontSize;
  };
  (vega as unknown as { textMetrics: { width: unknown } }).textMetrics.width = width;
  return vega;
}

function fontFiles(): { regular: string; bold: string } {
  const folder = path.dirname(require.resolve("@expo-google-fonts/inter/package.json"));
  const file = (face: string) => path.join(folder, face, `Inter_${face}.ttf`);
  return { regular: file("400Regular"), bold: file("700Bold") };
}

/** Vega numbers clip paths and gradients through the whole process; here by content, so that figures on one page do not clash. */
function namedByContent(svg: string): string {
  const ids = [...new Set([...svg.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]!))];
  const numbered = ids.reduce((text, id, i) => replaceId(text, id, `part-${i}-`), svg);
  const hash = createHash("sha256").update(numbered).digest("hex").slice(0, 8);
  return numbered.replace(/part-(\d+)-/g, `f${hash}-$1`);
}

function replaceId(svg: string, id: string, name: string): string {
  return svg.replaceAll(` id="${id}"`, ` id="${name}"`).replaceAll(`url(#${id})`, `url(#${name})`);
}

/** What vega and vega-lite ask of a logger; they would write to the console, which a notebook shows as an error. */
function loggerTo(onWarning: (message: string) => void) {
  const report = (...parts: readonly unknown[]) => (onWarning(parts.map(String).join(" ")), logger);
  const silent = () => logger;
  const logger = { level: () => logger as never, error: report, warn: report, info: silent, debug: silent };
  return logger as never;
}

function fail(message: string): never {
  throw new Error(`The figure's specification is doubtful: ${message}`);
}
