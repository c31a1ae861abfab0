/**
 * JupyterLab as a reader uses it, in windows of two widths: committed figures are seen before anything runs, none is cut, and a cell is
 * edited, run, interrupted and run again. Screenshots are in data/cache/browser.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Chromium, findChromium, type Page } from "./chromium";

const root = path.join(__dirname, "../..");
const jupyter = path.join(root, ".venv/bin/jupyter");
const folder = path.join(root, "data/cache/browser");
const port = 18_000 + (process.pid % 2000);

const training = `import * as lab from "..";
await lab.ready();
const images = lab.syntheticImages({ size: 200 });
const network = lab.mlp({ inputShape: [28, 28, 1], numClasses: 10 });
const endless = await lab.train(network, { train: images, test: images }, { epochs: 100_000 });
console.log("outcome:", endless.outcome, endless.history.length > 1);`;

/** Copies of the notebooks, so that nothing that the browser saves gets into the kit's own. */
function prepare(): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(path.join(root, "notebooks"), path.join(folder, "notebooks"), { recursive: true });
  const [main, types] = ["dist/index.js", "dist/index.d.ts"].map((file) => path.relative(folder, path.join(root, file)));
  writeFileSync(path.join(folder, "package.json"), JSON.stringify({ name: "kit-in-a-browser", main, types }));
}

/** A server that is ended leaves its kernels running. */
async function endKernels(port: number): Promise<void> {
  const kernels = `http://127.0.0.1:${port}/api/kernels`;
  const list = await fetch(kernels).catch(() => undefined);
  for (const { id } of list ? ((await list.json()) as { id: string }[]) : [])
    await fetch(`${kernels}/${id}`, { method: "DELETE" });
}

function startServer(env: NodeJS.ProcessEnv): ChildProcess {
  const notebooks = path.join(folder, "notebooks");
  spawnSync(jupyter, ["trust", path.join(notebooks, "explore.ipynb"), path.join(notebooks, "lesson-what-is-sharpness.ipynb")], {
    env,
  });
  const options = [
    "--no-browser",
    "--allow-root",
    "--ip=127.0.0.1",
    `--port=${port}`,
    "--port-retries=0",
    "--IdentityProvider.token=",
    "--ServerApp.disable_check_xsrf=True", // endKernels has no cookie
  ];
  return spawn(jupyter, ["lab", ...options, notebooks], { env, stdio: "ignore" });
}

async function untilReady(url: string): Promise<void> {
  for (let i = 0; i < 240; i++) {
    if (
      await fetch(url).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`${url} does not answer`);
}

const figures = `[...document.querySelectorAll(".jp-RenderedSVG img, .jp-OutputArea-output svg")].map((each) => each.getBoundingClientRect())`;

describe("JupyterLab in a browser", function () {
  this.timeout(600_000);
  const program = findChromium();
  let server: ChildProcess;
  let browser: Chromium;

  before(async function () {
    if (!program || !existsSync(jupyter)) {
      console.log(`    skipped: ${program ? "JupyterLab" : "Chromium"} is not on this machine`);
      this.skip();
    }
    prepare();
    const JUPYTER_PATH = path.join(root, ".venv/share/jupyter");
    server = startServer({
      ...process.env,
      JUPYTER_PATH,
      JUPYTER_CONFIG_DIR: path.join(folder, "config"),
      JUPYTER_DATA_DIR: path.join(folder, "data"),
    });
    browser = new Chromium(program);
    await untilReady(`http://127.0.0.1:${port}/api`);
  });

  after(async () => {
    await browser?.close();
    await endKernels(port);
    server?.kill("SIGTERM");
  });

  /** The file browser is closed, as a reader with a narrow window has it. */
  async function openNotebook(name: string, width: number): Promise<Page> {
    const page = await browser.open(`http://127.0.0.1:${port}/lab/workspaces/w${width}-${name}/tree/${name}.ipynb?reset`, {
      width,
    });
    await page.until(`document.querySelector(".jp-Notebook .jp-RenderedSVG img")`);
    await page.press("b", 66, 2);
    await page.until(`document.querySelector(".jp-Notebook").getBoundingClientRect().left < 100`);
    return page;
  }

  for (const width of [1300, 900])
    for (const name of ["lesson-what-is-sharpness", "explore"])
      it(`shows the figures of ${name} before anything runs, none cut, at ${width} pixels`, async () => {
        const page = await openNotebook(name, width);

        await page.photograph(path.join(folder, `${name}-${width}.png`));
        const seen = await page.value<{ left: number; right: number; width: number }[]>(
          `${figures}.map(({ left, right, width }) => ({ left, right, width }))`,
        );

        assert.ok(seen.length > 0);
        for (const { right, width: own } of seen) assert.ok(own > 50 && right <= width, `${own} pixels up to ${right}`);
      });

  it("lets a reader edit a cell, run it, interrupt it and run it again", async () => {
    const page = await openNotebook("explore", 1300);
    const output = `document.querySelector(".jp-CodeCell .jp-OutputArea")`;
    // JupyterLab shows SVG as an image whose address is its text.
    const picture = `decodeURIComponent(${output}?.querySelector(".jp-RenderedSVG img")?.src ?? "")`;
    await page.value(`document.querySelector(".jp-CodeCell .cm-content").focus()`);
    await page.press("a", 65, 2);
    await page.type(training);
    for (const run of [1, 2]) {
      await page.value(`document.querySelector(".jp-CodeCell .cm-content").focus()`);
      await page.press("Enter", 13, 8);
      await page.until(`${picture}.includes("Epoch")`);
      await page.photograph(path.join(folder, `running-${run}.png`));
      await page.click('[data-jp-item-name="interrupt"]');
      await page.until(`${output}?.textContent.includes("outcome: aborted true")`);
      await page.photograph(path.join(folder, `interrupted-${run}.png`));
      assert.match(await page.value<string>(picture), /Stopped after \d+ epochs/);
    }
  });
});
