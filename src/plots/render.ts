/** Figures as SVG and PNG from Vega-Lite or Vega specifications, without a browser, a canvas, system fonts, files or a network. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { checkOptions, showValue, writeFilesWhole, type OptionKinds } from "../engine";
import type { FigureSpec } from "./theme";

/** Options of `renderSvg`. */
export interface RenderOptions {
  /** Called with each warning of Vega and Vega-Lite. Default: a warning is an error. */
  readonly onWarning?: (message: string) => void;
}

/** Options of `renderPng`. */
export interface PngOptions extends RenderOptions {
  /** Pixels of the PNG for each pixel of the figure, above 0. */
  readonly scale?: number; // 2: sharp on dense screens
}

const renderKinds: OptionKinds<RenderOptions> = { onWarning: "function" };
const pngKinds: OptionKinds<PngOptions> = { ...renderKinds, scale: "number" };

/**
 * A specification as SVG text that shrinks with the page. The same specification gives the same text.
 * @throws where Vega warns and nobody listens, or the specification loads anything: its data have to stand in it
 */
export async function renderSvg(spec: FigureSpec, options: RenderOptions = {}): Promise<string> {
  checkOptions(options, renderKinds, "renderSvg");
  if (typeof spec !== "object" || spec === null)
    throw new Error(`renderSvg: expected a Vega-Lite or Vega specification, got ${showValue(spec)}`);
  const { onWarning = fail } = options;
  const vega = await loadVega();
  // Vega warns from promises of its own, where an error would end the process: messages are kept until it is done.
  const messages: string[] = [];
  const refused: string[] = [];
  const logger = loggerTo((message) => void messages.push(message));
  const own = structuredClone(spec); // Vega marks the rows that it is given
  const compiled = isVega(own) ? own : (await loadVegaLite()).compile(own as never, { logger }).spec;
  const view = new vega.View(vega.parse(compiled as never), { renderer: "none", logger, loader: refusingLoader(refused) });
  try {
    const svg = await view.toSVG();
    if (refused.length > 0) throw new Error(refusal(refused));
    messages.forEach((message) => onWarning(message));
    return shrinkable(namedByContent(svg));
  } finally {
    view.finalize();
  }
}

/**
 * A specification, or SVG text, as PNG, with the kit's own font.
 * @throws as `renderSvg` does, and where SVG text names a file or an address
 */
export async function renderPng(figure: FigureSpec | string, options: PngOptions = {}): Promise<Buffer> {
  checkOptions(options, pngKinds, "renderPng");
  const { scale = 2, ...more } = options;
  if (!(scale > 0 && Number.isFinite(scale))) throw new RangeError(`renderPng: scale = ${scale}, expected a number above 0`);
  const svg = typeof figure === "string" ? figure : await renderSvg(figure, more);
  const linked = [...svg.matchAll(/href\s*=\s*["'](?!data:|#)([^"']*)/g)].map((match) => match[1]!);
  if (linked.length > 0) throw new Error(refusal(linked));
  const { Resvg } = await import("@resvg/resvg-js");
  const font = { fontFiles: Object.values(fontFiles()), loadSystemFonts: false, defaultFontFamily: "Inter" };
  return new Resvg(svg, { font, fitTo: { mode: "zoom", value: scale }, background: "white" }).render().asPng();
}

/** Options of `saveFigure`. */
export interface SaveFigureOptions extends PngOptions {
  /** Default: the project's figures/. */
  readonly folder?: string;
}

/** Paths of a saved figure. */
export interface SavedFigure {
  readonly svg: string;
  readonly png: string;
  /** The specification: .vl.json for Vega-Lite, .vg.json for Vega. */
  readonly spec: string;
}

/**
 * Writes figures/<name>.svg, .png and .vl.json, all three or none. A file whose content is the same is left alone.
 * @throws where the name is not like figure-3-spectra, the figure cannot be drawn, or the files cannot be written
 */
export async function saveFigure(name: string, spec: FigureSpec, options: SaveFigureOptions = {}): Promise<SavedFigure> {
  checkOptions(options, { ...pngKinds, folder: "string" }, "saveFigure");
  const { folder = path.join(__dirname, "../../figures"), onWarning, ...more } = options;
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name)) throw new Error(`A figure's name is like figure-3-spectra, got "${name}"`);
  const svg = await renderSvg(spec, { onWarning });
  const file = (ending: string) => path.join(folder, `${name}.${ending}`);
  const files = { svg: file("svg"), png: file("png"), spec: file(isVega(spec) ? "vg.json" : "vl.json") };
  await writeChanged({
    [files.svg]: svg + "\n",
    [files.png]: await renderPng(svg, more),
    [files.spec]: JSON.stringify(spec) + "\n",
  });
  return files;
}

async function writeChanged(contents: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  const changed: Record<string, string | Uint8Array> = {};
  for (const [file, content] of Object.entries(contents)) {
    const old = await readFile(file).catch(() => undefined);
    if (!old?.equals(Buffer.from(content))) changed[file] = content;
  }
  try {
    writeFilesWhole(changed);
  } catch (error) {
    throw new Error(`Cannot write ${Object.keys(changed).join(", ")}: ${(error as Error).message}`);
  }
}

function isVega(spec: FigureSpec): boolean {
  return String(spec.$schema ?? "").includes("/schema/vega/");
}

/** Refuses whatever Vega would load, data and images, and remembers it; images inside the specification are fine. */
function refusingLoader(refused: string[]) {
  const refuse = async (uri: string): Promise<never> => {
    refused.push(uri);
    throw new Error(refusal([uri]));
  };
  const sanitize = async (uri: string) => (/^data:image\//.test(uri) ? { href: uri } : refuse(uri));
  return { load: refuse, sanitize, http: refuse, file: refuse } as never;
}

function refusal(refused: readonly string[]): string {
  const listed = [...new Set(refused)].map(showValue).join(", ");
  return `The figure's specification loads ${listed}, but figures take no files and no network: put the data into it as values`;
}

/** Never wider than the page; the height follows. */
function shrinkable(svg: string): string {
  return svg.replace("<svg ", '<svg style="max-width:100%;height:auto" ');
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

/** Without a canvas Vega takes 0.8 em for a character, half as much again as the truth: labels would vanish and legends spread. */
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

/** Names clip paths and gradients by content. Vega numbers them through the whole process, so that figures on one page could clash. */
function namedByContent(svg: string): string {
  const ids = [...new Set([...svg.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]!))];
  const numbered = ids.reduce((text, id, i) => replaceId(text, id, `part-${i}-`), svg);
  const hash = createHash("sha256").update(numbered).digest("hex").slice(0, 8);
  return numbered.replace(/part-(\d+)-/g, `f${hash}-$1`);
}

function replaceId(svg: string, id: string, name: string): string {
  return svg.replaceAll(` id="${id}"`, ` id="${name}"`).replaceAll(`url(#${id})`, `url(#${name})`);
}

/** The logger that Vega and Vega-Lite expect; their own writes to the console, which a notebook shows as an error. */
function loggerTo(onMessage: (message: string) => void) {
  const report = (...parts: readonly unknown[]) => (onMessage(parts.map(String).join(" ")), logger);
  const silent = () => logger;
  const logger = { level: () => logger as never, error: report, warn: report, info: silent, debug: silent };
  return logger as never;
}

function fail(message: string): never {
  throw new Error(`The figure's specification is doubtful: ${message}`);
}
