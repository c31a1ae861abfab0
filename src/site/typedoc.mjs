/**
 * `node src/site/typedoc.mjs <sources> <out> [--no-api]`: TypeDoc makes the site out of Markdown pages and, as its API part, src/index.ts.
 * A module of its own because TypeDoc is one, while the library is CommonJS.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import katex from "@vscode/markdown-it-katex";
import { Application, Comment, CommentTag, Converter, KindRouter, OptionDefaults, ReflectionKind } from "typedoc";

const require = createRequire(import.meta.url);
const root = path.resolve(import.meta.dirname, "../..");
const [sources, out, ...flags] = process.argv.slice(2);
const pages = JSON.parse(readFileSync(path.join(sources, "pages.json"), "utf8"));

/** Section of each public name: the comments that part src/index.ts. */
const sections = sectionsOf(readFileSync(path.join(root, "src/index.ts"), "utf8"));

/** Pages are addressed by the name of their file: notebooks/table-5.html. */
class SiteRouter extends KindRouter {
  getIdealBaseName(reflection) {
    return reflection.isDocument()
      ? reflection.frontmatter.url
      : super.getIdealBaseName(reflection).replace("API_reference.", "");
  }
}

const app = await Application.bootstrap({
  name: "sharpness-lab",
  entryPoints: flags.includes("--no-api") ? [] : [path.join(root, "src/index.ts")],
  tsconfig: path.join(root, "tsconfig.json"),
  readme: path.join(sources, "index.md"),
  projectDocuments: pages.map((name) => path.join(sources, name)),
  out,
  basePath: root,
  customCss: path.join(sources, "site.css"),
  markdownItLoader: (parser) => parser.use(katex.default ?? katex, { throwOnError: true }),
  highlightLanguages: ["typescript", "bash", "python", "json", "csv", "diff", "latex"],
  ...{
    excludeExternals: true,
    excludeInternal: true,
    disableGit: true,
    disableSources: true,
    githubPages: false,
    hideGenerator: true,
  },
  sort: ["kind", "alphabetical-ignoring-documents"],
  navigation: { includeGroups: false, includeCategories: true },
  ...{ categorizeByGroup: false, categoryOrder: [...new Set(sections.values())], defaultCategory: "More" },
  validation: { notExported: false, invalidLink: true, invalidPath: true, notDocumented: true },
  requiredToBeDocumented: ["Function", "Class", "Interface", "TypeAlias", "Variable", "Namespace"],
  // TensorFlow.js's own, for its compiler.
  modifierTags: [...OptionDefaults.modifierTags, "@nocollapse"],
  // The build and the tests check types.
  skipErrorChecking: true,
});
app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
  for (const module of project.getChildrenByKind(ReflectionKind.Module)) arrange(module);
});
app.renderer.defineRouter("site", SiteRouter);
app.options.setValue("router", "site");

const project = await app.convert();
if (!project) process.exit(1);
app.validate(project);
await app.generateOutputs(project);
copyFonts();
process.exitCode = app.logger.hasErrors() ? 1 : 0;

function sectionsOf(source) {
  const found = new Map();
  let section = "";
  for (const [, heading, group, names = group] of source.matchAll(
    /^\/\/ (.+)$|^export \* as (\w+)|^export (?:type )?\{([^}]*)\}/gm,
  )) {
    if (heading) section = heading;
    else for (const name of names.split(",")) if (name.trim()) found.set(name.trim(), section);
  }
  return found;
}

/** The API in the sections of src/index.ts, in place of one alphabet. */
function arrange(module) {
  module.name = "API reference";
  for (const child of module.children ?? []) {
    const section = sections.get(child.name);
    child.comment ??= new Comment();
    if (section) child.comment.blockTags.push(new CommentTag("@category", [{ kind: "text", text: section }]));
  }
}

/** The fonts that the style sheets name relative to themselves: KaTeX's, and Inter, in which the figures are set. */
function copyFonts() {
  const to = path.join(out, "assets/fonts");
  const katexFonts = path.join(folderOf("katex"), "dist/fonts");
  const woff2 = readdirSync(katexFonts).filter((name) => name.endsWith(".woff2"));
  const inter = ["400Regular", "700Bold"].map((face) =>
    path.join(folderOf("@expo-google-fonts/inter"), face, `Inter_${face}.ttf`),
  );
  mkdirSync(to, { recursive: true });
  for (const file of [...woff2.map((name) => path.join(katexFonts, name)), ...inter])
    cpSync(file, path.join(to, path.basename(file)));
}

function folderOf(name) {
  return path.dirname(require.resolve(`${name}/package.json`));
}
