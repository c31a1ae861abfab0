/** The static site: guides, notebooks, results and figures become Markdown pages, out of which TypeDoc makes HTML beside the API reference. */
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseNotebook } from "../cli/notebookFile";
import { findNotebooks } from "../cli/notebookRunner";
import { projectRoot, writeFileAtomic } from "../data/files";
import { catalog } from "../paper/catalog";
import { moveLinks } from "./links";
import { notebookMarkdown } from "./notebookPage";
import { galleryPage, resultsPage } from "./pages";

export interface SiteOptions {
  /** Folder of the site. It is emptied first. */
  readonly out: string;
  /** Without it the API reference is left out, which takes most of the time. */
  readonly api?: boolean;
}

/** What TypeDoc said: one line a warning. */
export interface BuiltSite {
  readonly index: string;
  readonly pages: number;
  readonly warnings: readonly string[];
}

/** A page before links are moved. */
interface Page {
  /** Its file below the site's sources, without extension, and its address: "notebooks/table-5". */
  readonly url: string;
  readonly markdown: string;
  /** The file of the project that it shows, if there is one. */
  readonly file?: string;
  /** Folder that its links are relative to. */
  readonly from: string;
  readonly children?: readonly Page[];
}

const root = projectRoot();

/** Builds the site from what is there: no page is listed by hand. @throws if TypeDoc fails; the error is what it said */
export async function buildSite({ out, api = true }: SiteOptions): Promise<BuiltSite> {
  const sources = await mkdtemp(path.join(tmpdir(), "sharpness-lab-site-"));
  try {
    const pages = await allPages();
    await writePages(pages, sources);
    await writeFileAtomic(path.join(sources, "site.css"), styles());
    const warnings = await typedoc([sources, path.resolve(out), ...(api ? [] : ["--no-api"])]);
    return { index: path.join(out, "index.html"), pages: withChildren(pages).length, warnings };
  } finally {
    await rm(sources, { recursive: true, force: true });
  }
}

async function allPages(): Promise<Page[]> {
  const notebooks = await notebookPages();
  const inPaper = (page: Page) => catalog.findIndex(({ id }) => page.url === `notebooks/${id}`);
  const inReadme = ({ url }: Page) => readmeText().indexOf(url);
  return [
    { url: "index", markdown: homePage(), file: path.join(root, "README.md"), from: root },
    { url: "results", markdown: resultsPage(), from: root },
    { url: "gallery", markdown: galleryPage(root), from: root },
    folder(
      "lessons",
      "Lessons",
      inOrder(
        notebooks.filter((page) => inPaper(page) < 0),
        inReadme,
      ),
    ),
    folder("guides", "How-to guides", filePages("src/site/guides", "guides")),
    folder(
      "items",
      "Tables and figures",
      inOrder(
        notebooks.filter((page) => inPaper(page) >= 0),
        inPaper,
      ),
    ),
    folder("more", "More", morePages()),
  ];
}

/** Sorted by `place`, where a negative one is the last; ties keep their order. */
function inOrder(pages: readonly Page[], place: (page: Page) => number): Page[] {
  const key = (page: Page) => (place(page) < 0 ? Number.MAX_SAFE_INTEGER : place(page));
  return [...pages].sort((a, b) => key(a) - key(b));
}

/** A page that lists others. */
function folder(url: string, title: string, children: readonly Page[]): Page {
  const lines = children.map((page) => `- [${titleOf(page.markdown)}](${page.url}.md)`);
  return { url, markdown: `# ${title}\n\n${lines.join("\n")}\n`, from: root, children };
}

async function notebookPages(): Promise<Page[]> {
  const files = (await findNotebooks()).filter((file) => isPublished(path.relative(root, file)));
  return files.sort(naturally).map((file) => {
    const markdown = notebookMarkdown(parseNotebook(readFileSync(file, "utf8"), file));
    const url = path.relative(root, file).replace(/\.ipynb$/, "");
    return { url: url.split(path.sep).join("/"), markdown, file, from: path.dirname(file) };
  });
}

/** Whether the notebook with this path from the project's folder gets a page: the source notebooks of assignments hold solutions. */
export function isPublished(notebook: string): boolean {
  return !notebook.split(path.sep).includes("assignments");
}

/** table-2 before table-10. */
function naturally(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}

function filePages(folder: string, url: string): Page[] {
  const names = readdirSync(path.join(root, folder)).filter((name) => name.endsWith(".md"));
  return names
    .sort(naturally)
    .map((name) => filePage(path.join(root, folder, name), `${url}/${path.basename(name, ".md").replace(/^\d+-/, "")}`));
}

function filePage(file: string, url: string): Page {
  return { url, markdown: readFileSync(file, "utf8"), file, from: path.dirname(file) };
}

/** The project's other Markdown files. */
function morePages(): Page[] {
  const top = readdirSync(root).filter((name) => name.endsWith(".md") && name !== "README.md");
  const inner = readdirSync(path.join(root, "src"), { recursive: true }).map((name) => path.join("src", String(name)));
  const files = [...top, ...inner.filter((name) => name.endsWith(".md") && !name.startsWith(path.join("src", "site")))];
  return files.map((name) => filePage(path.join(root, name), `more/${path.basename(name, ".md").toLowerCase()}`));
}

/** The README. Its heading stands above every page, and its table of results is a page of its own here. */
function homePage(): string {
  const table = /<!-- results:start -->[\s\S]*<!-- results:end -->/;
  const instead = "[The table](results.md) has a page of its own here, and so has the [gallery](gallery.md) of figures.";
  return readmeText()
    .replace(/^# .*\n/, "")
    .replace(table, instead);
}

function readmeText(): string {
  return readFileSync(path.join(root, "README.md"), "utf8");
}

function titleOf(markdown: string): string {
  return (/^# (.+)$/m.exec(markdown)?.[1] ?? "Untitled").replaceAll("`", "").trim();
}

function withChildren(pages: readonly Page[]): Page[] {
  return pages.flatMap((page) => [page, ...withChildren(page.children ?? [])]);
}

/** Writes each page with its front matter, and pages.json, the list of those at the top in order. */
async function writePages(pages: readonly Page[], sources: string): Promise<void> {
  const all = withChildren(pages);
  const place = (url: string) => path.join(sources, `${url}.md`);
  const known = new Map(all.flatMap(({ file, url }) => (file ? [[file, place(url)] as const] : [])));
  const generated = new Map(all.map(({ url }) => [path.join(root, `${url}.md`), place(url)] as const));
  const pageOf = (file: string) => known.get(file) ?? generated.get(file);
  for (const { url, markdown, from, children = [] } of all) {
    const to = path.dirname(place(url));
    const list = children.map((child) => path.relative(to, place(child.url)));
    const front = { title: titleOf(markdown), url, ...(list.length > 0 ? { children: list } : {}) };
    const lines = Object.entries(front).map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`);
    const text = moveLinks(markdown.replace(/<!--[\s\S]*?-->\n?/g, ""), { from, to, pageOf });
    await writeFileAtomic(place(url), url === "index" ? text : `---\n${lines.join("")}---\n\n${text}`);
  }
  const names = pages.map(({ url }) => `${url}.md`).filter((name) => name !== "index.md");
  await writeFileAtomic(path.join(sources, "pages.json"), JSON.stringify(names));
}

/** KaTeX's style sheet, with the one font format that every browser of today reads, and ours. */
function styles(): string {
  const katex = readFileSync(require.resolve("katex/dist/katex.min.css"), "utf8");
  const woff2 = katex.replace(/,url\([^)]*\.(woff|ttf)\) format\("[a-z]+"\)/g, "");
  return `${woff2}\n${readFileSync(path.join(root, "src/site/site.css"), "utf8")}`;
}

function typedoc(args: readonly string[]): Promise<string[]> {
  const script = path.join(root, "src/site/typedoc.mjs");
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece) => (said += piece));
    child.on("error", reject);
    child.on("close", (code) => {
      // A method that comes through Omit has lost its comment.
      const warnings = said.split("\n").filter((line) => line.includes("[warning]") && !line.includes("(Property)"));
      return code === 0 ? resolve(warnings) : reject(new Error(`TypeDoc failed:\n${said.trim()}`));
    });
  });
}
