/** Step 2: the kit under its own name in node_modules, so that notebooks in any folder of the kit import "sharpness-lab". */
import { lstatSync, mkdirSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";

export function linkStep(root) {
  const link = path.join(root, "node_modules/sharpness-lab");
  const isThere = () => existsAs(link, root);
  return {
    name: "own name",
    doing: "linking node_modules/sharpness-lab to the kit",
    there: () => (isThere() ? 'import "sharpness-lab"' : undefined),
    make: async () => {
      mkdirSync(path.dirname(link), { recursive: true });
      rmSync(link, { force: true, recursive: true });
      // A junction needs no rights on Windows; elsewhere the type is ignored, and a relative target survives a move of the folder.
      if (process.platform === "win32") symlinkSync(root, link, "junction");
      else symlinkSync("..", link);
      return 'import "sharpness-lab"';
    },
  };
}

function existsAs(link, target) {
  try {
    return lstatSync(link).isSymbolicLink() && realpathSync(link) === realpathSync(target);
  } catch {
    return false;
  }
}
