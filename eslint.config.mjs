/** Rules that a reader relies on: imports go one way, functions stay short, randomness is ours, libraries do not print. */
import js from "@eslint/js";
import { createNodeResolver, importX } from "eslint-plugin-import-x";
import tseslint from "typescript-eslint";

// The house, from the ground up: a folder imports from those that it lists, and from itself.
const ground = ["engine"];
const parts = [...ground, "data", "models", "losses", "optim"];
const house = {
  engine: [],
  data: ground,
  models: ground,
  losses: [...ground, "data"],
  optim: [...ground, "losses"],
  training: parts,
  sharpness: [...ground, "losses", "optim"],
  experiments: [...parts, "training", "sharpness"],
  plots: [...ground, "data"],
  tables: ground,
  paper: [...parts, "training", "sharpness", "experiments", "plots", "tables"],
  notebook: ["engine", "models", "training", "experiments", "plots"],
  site: ["data", "experiments", "paper", "cli"],
  classroom: [...ground, "data", "plots", "tables", "cli/notebookFile.ts"],
  cli: [...parts, "training", "sharpness", "experiments", "plots", "tables", "paper", "site", "classroom", "index.ts"],
};

const zones = Object.entries(house).map(([folder, allowed]) => ({
  target: `./src/${folder}`,
  from: "./src",
  except: [folder, ...allowed].map((name) => `./${name}`),
  message: `src/${folder} may import from ${[...allowed, "itself"].join(", ")}: imports go one way (engine → … → cli).`,
}));

const onlyIn = (folder, names) => ({
  group: names.flatMap((name) => [name, `${name}/*`]),
  message: `Only src/${folder} imports this.`,
});
const tensorflow = onlyIn("engine", ["@tensorflow/*"]);
const pictures = onlyIn("plots", ["vega", "vega-lite", "vega-*", "@resvg/*"]);
const frames = onlyIn("tables", ["danfojs-node"]);
const notebooks = { group: ["tslab"], message: "The library knows nothing of notebooks: a cell displays what it returns." };
const restrictImports = (...patterns) => ({ "no-restricted-imports": ["error", { patterns }] });

export default tseslint.config(
  { ignores: ["dist/", "data/", "figures/", "notebooks/", ".venv/", ".setup/"] },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-restricted-properties": [
        "error",
        { object: "Math", property: "random", message: "Use Rng: every run can be repeated." },
      ],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", ignoreRestSiblings: true }],
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-empty-object-type": ["error", { allowInterfaces: "with-single-extends" }],
      "@typescript-eslint/no-require-imports": ["error", { allow: ["/package\\.json$"] }],
    },
  },
  {
    files: ["src/**/*.ts"],
    plugins: { "import-x": importX },
    settings: { "import-x/resolver-next": [createNodeResolver({ extensions: [".ts", ".js", ".json"] })] },
    rules: {
      ...restrictImports(tensorflow, pictures, frames, notebooks),
      "import-x/no-restricted-paths": ["error", { zones }],
      "import-x/no-cycle": "error",
      "max-lines-per-function": ["error", { max: 60 }],
      "no-console": "error",
    },
  },
  { files: ["src/engine/**/*.ts"], rules: restrictImports(pictures, frames, notebooks) },
  { files: ["src/plots/**/*.ts"], rules: restrictImports(tensorflow, frames, notebooks) },
  { files: ["src/tables/**/*.ts"], rules: restrictImports(tensorflow, pictures, notebooks) },
  { files: ["src/cli/**/*.ts"], rules: { "no-console": "off" } },
  // Cells of assignments run in tslab's own compiler and executor, in processes that load nothing else of it.
  {
    files: ["src/classroom/cells.ts", "src/classroom/compiler.ts"],
    rules: { ...restrictImports(tensorflow, pictures, frames), "@typescript-eslint/no-require-imports": "off" },
  },
  // A test's outcome is printed in the student's notebook.
  { files: ["src/classroom/check.ts"], rules: { "no-console": "off" } },
  // The native packages are looked for at run time.
  { files: ["src/engine/**/*.ts"], rules: { "@typescript-eslint/no-require-imports": "off" } },
  {
    files: ["src/setup/**/*.mjs", "src/site/*.mjs", "test/**/*.cjs", "*.mjs"],
    languageOptions: { globals: nodeGlobals() },
    rules: { "max-lines-per-function": ["error", { max: 60 }] },
  },
  { files: ["test/**/*.cjs"], rules: { "@typescript-eslint/no-require-imports": "off" } },
  // What throws is often evaluated for that alone.
  { files: ["test/**/*.ts"], rules: { "@typescript-eslint/no-unused-expressions": "off" } },
);

function nodeGlobals() {
  const names = [
    "process",
    "Buffer",
    "URL",
    "fetch",
    "AbortController",
    "setTimeout",
    "clearTimeout",
    "setInterval",
    "clearInterval",
    "require",
    "module",
    "__dirname",
  ];
  return Object.fromEntries(names.map((name) => [name, "readonly"]));
}
