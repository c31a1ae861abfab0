/** Step 4: the tslab kernel in `.venv`, started by full paths: a kernelspec that says just "tslab" needs it on PATH. */
import path from "node:path";
import { engineEnvironment } from "./binding.mjs";
import { readJson, writeJson } from "./files.mjs";
import { packageVersion } from "./packages.mjs";

export function kernelStep(root) {
  const file = path.join(root, ".venv/share/jupyter/kernels/tslab/kernel.json");
  const describe = () => `tslab ${packageVersion(root, "tslab")} on Node ${process.versions.node}`;
  return {
    name: "tslab kernel",
    doing: "writing its kernelspec",
    there: () => (JSON.stringify(readJson(file)) === JSON.stringify(kernelSpec(root)) ? describe() : undefined),
    make: async () => {
      writeJson(file, kernelSpec(root));
      return describe();
    },
  };
}

/** The kernelspec with which Jupyter runs TypeScript cells. */
export function kernelSpec(root) {
  const tslab = path.join(root, "node_modules/tslab/bin/tslab");
  const { TF_CPP_MIN_LOG_LEVEL, LD_LIBRARY_PATH } = engineEnvironment(root, {});
  return {
    argv: [process.execPath, tslab, "kernel", "--config-path", "{connection_file}"],
    display_name: "TypeScript",
    language: "typescript",
    env: { TF_CPP_MIN_LOG_LEVEL, ...(LD_LIBRARY_PATH && { LD_LIBRARY_PATH }) },
  };
}
