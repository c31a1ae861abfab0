/** The site as a reader gets it: built once from what is committed, then read page by page, as a browser would from the file system. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { inflateSync } from "node:zlib";
import { parseNotebook } from "../../src/cli/notebookFile";
import { catalog } from "../../src/paper";
import { buildSite, isPublished } from "../../src/site/build";

const root = path.join(__dirname, "../..");

describe("the site", function () {
  this.timeout(600_000);
  const out = mkdtempSync(path.join(os.tmpdir(), "site-"));
  let warnings: readonly string[];
  let files: Map<string, string>;

  before(async () => {
    ({ warnings } = await buildSite({ out }));
    const names = readdirSync(out, { recursive: true }).map(String);
    const texts = names.filter((name) => /\.(html|css|js|svg)$/.test(name));
    files = new Map(texts.map((name) => [name, readFileSync(path.join(out, name), "utf8")]));
  });
  after(() => rmSync(out, { recursive: true }));

  const pages = () => [...files].filter(([name]) => name.endsWith(".html"));

  it("has no dead link, to a page or to a place on it", () => {
    const dead = pages().flatMap(([page, html]) =>
      linksOf(html)
        .filter((link) => !isOutside(link) && !leadsSomewhere(link, page, files, out))
        .map((link) => `${page}: ${link}`),
    );

    assert.deepEqual(dead, []);
  });

  it("has a navigation whose every entry is a page", () => {
    const packed = /"data:[^,]*,([^"]+)"|= "([A-Za-z0-9+/=]+)"/.exec(files.get("assets/navigation.js")!)!;
    const entries = JSON.parse(inflateSync(Buffer.from((packed[1] ?? packed[2])!, "base64")).toString()) as Entry[];
    const paths = pathsOf(entries);

    assert.ok(paths.length > 300);
    assert.deepEqual(paths.filter((name) => !existsSync(path.join(out, name))), []); // prettier-ignore
  });

  it("loads no script, style, font or picture from elsewhere", () => {
    const loads = [...files].flatMap(([name, text]) =>
      loadedBy(text)
        .filter(isOutside)
        .map((link) => `${name}: ${link}`),
    );

    assert.deepEqual(loads, []);
  });

  it("has every font and picture that its style sheets name", () => {
    const css = [...files].filter(([name]) => name.endsWith(".css"));
    const named = css.flatMap(([name, text]) => urlsOf(text).map((url) => path.join(path.dirname(name), url)));

    assert.ok(
      named.some((name) => name.includes("KaTeX_Main-Regular")) && named.some((name) => name.includes("Inter_400Regular")),
    );
    assert.deepEqual(named.filter((name) => !existsSync(path.join(out, name))), []); // prettier-ignore
  });

  it("shows each notebook with all of its pictures, tables and formulas", () => {
    for (const name of publishedNotebooks()) {
      const { cells } = parseNotebook(readFileSync(path.join(root, name), "utf8"), name);
      const html = files.get(name.replace(/\.ipynb$/, ".html"))!;
      const outputs = cells.flatMap((cell) => cell.outputs ?? []).map(({ data = {} }) => Object.keys(data));

      assert.ok(html, `${name} has no page`);
      const main = html.slice(html.indexOf('class="col-content"'));
      assert.equal(count(main, /<(svg|img)\b[^>]*(class="marks"|alt="figure")/g), outputs.filter((types) => types.some((type) => type.startsWith("image/"))).length, name); // prettier-ignore
      assert.ok(count(main, /<table/g) >= outputs.filter((types) => types.includes("text/html")).length, name);
      assert.ok(!main.includes("katex-error") && !/\$\\|\$\$/.test(withoutCode(main)), `${name} has a formula that is not set`);
    }
  });

  it("does not publish the notebooks of assignments, which hold solutions", () => {
    assert.ok(isPublished(path.join("notebooks", "table-5.ipynb")));
    assert.ok(!isPublished(path.join("notebooks", "assignments", "1-sharpness.ipynb")));
    assert.deepEqual(pages().map(([name]) => name).filter((name) => name.includes("assignments")), []); // prettier-ignore
  });

  it("has a line for each item in its table of results, and each committed figure in its gallery", () => {
    const [results, gallery] = [files.get("results.html")!, files.get("gallery.html")!];

    for (const { title, id } of catalog) {
      assert.ok(results.includes(`<td>${title}</td>`), title);
      const shown = [`figures/${id}.svg`, `notebooks/${id}.ipynb`].every((name) => existsSync(path.join(root, name)));
      if (shown) assert.match(gallery, new RegExp(`href="notebooks/${id}.html"`));
    }
    assert.equal(count(gallery, /<svg[^>]*class="marks"/g), count(gallery, /href="media\/[^"]*\.svg"/g));
  });

  it("is made without a warning of TypeDoc", () => {
    assert.deepEqual(warnings, []);
  });
});

interface Entry {
  readonly path?: string;
  readonly children?: readonly Entry[];
}

function pathsOf(entries: readonly Entry[]): string[] {
  return entries.flatMap(({ path: page, children = [] }) => [...(page ? [page.split("#")[0]!] : []), ...pathsOf(children)]);
}

function publishedNotebooks(): string[] {
  const names = readdirSync(path.join(root, "notebooks"), { recursive: true }).map((name) =>
    path.join("notebooks", String(name)),
  );
  return names.filter((name) => name.endsWith(".ipynb") && !name.includes(".ipynb_checkpoints") && isPublished(name));
}

function linksOf(html: string): string[] {
  return [...html.matchAll(/<[a-z][^>]*?\s(?:href|src|data-src)="([^"]*)"/g)].map((match) => match[1]!.replaceAll("&amp;", "&"));
}

function isOutside(link: string): boolean {
  return /^([a-z]+:)?\/\//i.test(link) || /^mailto:/.test(link);
}

function leadsSomewhere(link: string, page: string, files: ReadonlyMap<string, string>, out: string): boolean {
  if (link.startsWith("data:")) return true;
  const [file = "", anchor] = link.split("#").map(decodeURIComponent);
  const target = file ? path.join(path.dirname(page), file) : page;
  if (!existsSync(path.join(out, target))) return false;
  const html = files.get(target) ?? "";
  // The theme's own anchor for the top of a page.
  return !anchor || anchor === "top" || [`id="${anchor}"`, `name="${anchor}"`].some((place) => html.includes(place));
}

/** What a browser fetches without a click: all but the targets of <a>. */
function loadedBy(text: string): string[] {
  const withoutCode = text.replace(/<pre[\s\S]*?<\/pre>/g, "").replace(/<code[\s\S]*?<\/code>/g, "");
  const tags = [...withoutCode.matchAll(/<(?!a\b)[a-z][^>]*>/g)].map(([tag]) => tag);
  const attributes = tags.flatMap((tag) => [...tag.matchAll(/\s(?:href|src|srcset|data|poster|xlink:href)="([^"]*)"/g)].map((match) => match[1]!)); // prettier-ignore
  const imports = [...withoutCode.matchAll(/@import\s+"([^"]+)"/g)].map((match) => match[1]!);
  return [...attributes, ...imports, ...urlsOf(withoutCode)];
}

function urlsOf(css: string): string[] {
  const urls = [...css.matchAll(/url\(\s*["']?([^"')]+)["']?\s*\)/g)].map((match) => match[1]!);
  return urls.filter((url) => !url.startsWith("data:") && !url.startsWith("#"));
}

function withoutCode(html: string): string {
  return html.replace(/<pre[\s\S]*?<\/pre>/g, "").replace(/<code[\s\S]*?<\/code>/g, "").replace(/<annotation[\s\S]*?<\/annotation>/g, ""); // prettier-ignore
}

function count(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].length;
}
