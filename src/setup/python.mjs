/** Step 2: `.venv` with pinned JupyterLab and nbconvert, and TensorFlow's wheel, of which only the libraries and headers are used. */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { readJson, sha256, writeAtomic, writeJson } from "./files.mjs";
import { run, runLong, tellingLine, which } from "./shell.mjs";
import { StepFailure } from "./steps.mjs";

export const tensorflowVersion = "2.21.0";

// Python versions that wheels of TensorFlow 2.21 exist for.
const oldestPython = 10;
const newestPython = 13;

const windows = process.platform === "win32";

/** The venv's own interpreter. */
export function venvPython(root) {
  return path.join(root, ".venv", windows ? "Scripts/python.exe" : "bin/python");
}

/** JupyterLab and nbconvert. */
export function jupyterStep(root) {
  const files = ["requirements.txt", "constraints.txt"].map((name) => path.join(root, "src/setup", name));
  const key = sha256(...files.map((file) => readFileSync(file)));
  const version = /^jupyterlab==(\S+)/m.exec(readFileSync(files[0], "utf8"))[1];
  return {
    name: "notebooks",
    doing: `installing JupyterLab ${version} in .venv`,
    there: () => {
      const stamp = stamped(root, "jupyter");
      const whole = stamp?.key === key && !isMoved(root) && missingPackages(root, stamp.packages).length === 0;
      return whole ? `JupyterLab ${version}` : undefined;
    },
    make: async () => {
      // Versions without hashes: one hash makes pip demand all, and wheels differ by system, Python version and index.
      const requirements = ["--prefer-binary", "-r", files[0], "-c", files[1]];
      await inVenv(root, jupyterElsewhere(), () => pip(root, requirements, jupyterElsewhere()));
      const packages = pythonPackages(root).filter((name) => !ofTensorflow.test(name));
      writeJson(stampFile(root, "jupyter"), { key, root, packages });
      return `JupyterLab ${version}`;
    },
  };
}

/** TensorFlow's libraries and headers, for CUDA where an NVIDIA driver answers. */
export function tensorflowStep(root) {
  const describe = (stamp) => `TensorFlow ${tensorflowVersion} for ${stamp.flavor === "cuda" ? "CUDA" : "CPUs"}`;
  return {
    name: "TensorFlow",
    doing: `installing TensorFlow ${tensorflowVersion} in .venv`,
    there: () => {
      const stamp = stamped(root, "tensorflow");
      const wanted = stamp?.version === tensorflowVersion && (stamp.flavor === "cuda" || stamp.gpu === hasNvidiaDriver());
      const whole = wanted && tensorflowFolder(root) && missingPackages(root, stamp.packages).length === 0;
      return whole ? describe(stamp) : undefined;
    },
    make: async () => {
      const gpu = hasNvidiaDriver();
      const flavor = await inVenv(root, "", () => installTensorflow(root, gpu));
      const packages = pythonPackages(root).filter((name) => ofTensorflow.test(name));
      const stamp = { version: tensorflowVersion, flavor, gpu, packages };
      writeJson(stampFile(root, "tensorflow"), stamp);
      const lost = gpu && flavor === "cpu" ? ": a GPU is there, but pip has no CUDA build, so it stays idle" : "";
      return describe(stamp) + lost;
    },
  };
}

/** The wheel's folder with libtensorflow_cc, or undefined. */
export function tensorflowFolder(root) {
  const folder = path.join(sitePackages(root) ?? "", "tensorflow");
  return existsSync(path.join(folder, "libtensorflow_cc.so.2")) ? folder : undefined;
}

/** The folders of CUDA's libraries in `.venv`: Node does not run the Python start-up that finds them. */
export function cudaLibraryFolders(root) {
  const nvidia = path.join(sitePackages(root) ?? "", "nvidia");
  if (!existsSync(nvidia)) return [];
  return readdirSync(nvidia)
    .map((name) => path.join(nvidia, name, "lib"))
    .filter((folder) => existsSync(folder));
}

/** "cpu" or "cuda", as installed. */
export function tensorflowFlavor(root) {
  return stamped(root, "tensorflow")?.flavor;
}

export function hasNvidiaDriver() {
  const smi = which("nvidia-smi");
  return smi !== undefined && run(smi, ["-L"], { timeout: 20_000 }).stdout.includes("GPU ");
}

function sitePackages(root) {
  if (windows) return path.join(root, ".venv/Lib/site-packages");
  const lib = path.join(root, ".venv/lib");
  const python = existsSync(lib) ? readdirSync(lib).find((name) => /^python3\.\d+$/.test(name)) : undefined;
  return python && path.join(lib, python, "site-packages");
}

function stampFile(root, name) {
  return path.join(root, ".venv", `sharpness-lab-${name}.json`);
}

// A stamp counts only where the interpreter is still there: a removed Python leaves dangling links. While an installation is
// under way, or after one that was killed, nothing in the venv counts: it will be made anew.
function stamped(root, name) {
  return existsSync(venvPython(root)) && !existsSync(installingMark(root)) ? readJson(stampFile(root, name)) : undefined;
}

function installingMark(root) {
  return path.join(root, ".setup", "installing");
}

/** Names of the packages that pip has installed to the end: it writes a package's RECORD last. */
function pythonPackages(root) {
  const folder = sitePackages(root);
  const infos = folder && existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".dist-info")) : [];
  return infos.filter((name) => existsSync(path.join(folder, name, "RECORD"))).map((name) => name.split("-")[0]);
}

const ofTensorflow = /^(tensorflow|nvidia)/;

/** Those of a stamp's packages that have gone since. */
function missingPackages(root, wanted = []) {
  const installed = new Set(pythonPackages(root));
  return wanted.filter((name) => !installed.has(name));
}

// The programs in a venv name its folder.
function isMoved(root) {
  return (stamped(root, "jupyter")?.root ?? root) !== root;
}

/**
 * Runs an installation in the venv, made anew where there is none, or where an earlier installation was interrupted:
 * pip takes a half-unpacked package for a whole one.
 */
async function inVenv(root, consequence, install) {
  const mark = installingMark(root);
  const usable = !existsSync(mark) && !isMoved(root) && run(venvPython(root), ["-c", "import pip"]).ok;
  writeAtomic(mark, "");
  try {
    if (!usable) await createVenv(root, consequence);
    const result = await install();
    rmSync(mark, { force: true });
    return result;
  } catch (error) {
    if (error instanceof StepFailure && !/no space left/i.test(error.message)) rmSync(mark, { force: true });
    throw error;
  }
}

async function createVenv(root, consequence) {
  const python = findPython();
  if (!python) throw new StepFailure(`Python 3.${oldestPython} to 3.${newestPython} is missing. ${consequence}`.trim());
  for (const module of [["venv"], ["virtualenv", "-q"]]) {
    const options = { cwd: root, env: pythonEnvironment() };
    if ((await runLong(python, ["-m", ...module, "--clear", ".venv"], options)).ok) return;
  }
  throw new StepFailure(`${python} has no venv module (Debian: apt install python3-venv). ${consequence}`.trim());
}

/** The first interpreter on PATH that TensorFlow has wheels for; else the first that runs JupyterLab. */
function findPython() {
  const names = ["python3", ...["13", "12", "11", "10"].map((minor) => `python3.${minor}`), "python"];
  const found = names.map((name) => which(name)).filter(Boolean);
  const minors = found.map((file) => pythonMinor(run(file, ["-c", "import sys; print(*sys.version_info[:2])"]).stdout));
  const best = minors.findIndex((minor) => minor >= oldestPython && minor <= newestPython);
  return found[best] ?? found[minors.findIndex((minor) => minor >= oldestPython)];
}

/** "3 11" → 11; NaN for what is not Python 3. */
export function pythonMinor(version) {
  return Number(/^3 (\d+)\s*$/.exec(version)?.[1]);
}

function jupyterElsewhere() {
  const jupyter = which("jupyter-lab") ?? which("jupyter-notebook");
  return jupyter
    ? `Notebooks open in the ${path.basename(jupyter)} that is installed.`
    : "Notebooks cannot be opened without JupyterLab.";
}

async function installTensorflow(root, gpu) {
  if (gpu)
    try {
      await pipTensorflow(root, "tensorflow");
      await pip(root, cudaRequirements(wheelMetadata(root)), "");
      return "cuda";
    } catch (error) {
      if (!(error instanceof StepFailure)) throw error;
    }
  // Off x86-64 the plain wheel is the CPU build.
  await pipTensorflow(root, process.arch === "x64" ? "tensorflow-cpu" : "tensorflow");
  return "cpu";
}

async function pipTensorflow(root, name) {
  // Both wheels own the same folder.
  const other = name === "tensorflow" ? "tensorflow-cpu" : "tensorflow";
  await runLong(venvPython(root), ["-m", "pip", "uninstall", "-q", "-y", other], { env: pythonEnvironment() });
  await pip(root, ["--no-deps", "--no-compile", `${name}==${tensorflowVersion}`], "");
  if (!tensorflowFolder(root)) throw new StepFailure(`${name} ${tensorflowVersion} brings no libtensorflow_cc for this system`);
}

/** The packages that `pip install tensorflow[and-cuda]` adds to the wheel. */
export function cudaRequirements(metadata) {
  return [...metadata.matchAll(/^Requires-Dist: ([^;\n]+);.*extra == ["']and-cuda["']/gm)].map((match) => match[1].trim());
}

function wheelMetadata(root) {
  return readFileSync(path.join(sitePackages(root), `tensorflow-${tensorflowVersion}.dist-info/METADATA`), "utf8");
}

async function pip(root, args, consequence) {
  const quick = ["--retries", "1", "--timeout", "30", "--no-input", "--disable-pip-version-check", "-q"];
  const { ok, stderr } = await runLong(venvPython(root), ["-m", "pip", "install", ...quick, ...args], {
    env: pythonEnvironment(),
  });
  if (!ok) throw new StepFailure(`pip: ${pipError(stderr)}. ${consequence}`.trim(), { network: true });
}

/** pip's error in one clause. */
export function pipError(stderr) {
  const missing = /No matching distribution found for (\S+)/.exec(stderr);
  const refused = /(connection broken|timed out|Failed to establish|Name or service not known)/i.test(stderr);
  if (missing) return `${missing[1]} is not available${refused ? ": the package index does not answer" : ""}`;
  return tellingLine(stderr).replace(/^ERROR: |\.$/g, "");
}

// The user's settings must not make pip install elsewhere.
function pythonEnvironment() {
  const { PYTHONHOME, PYTHONPATH, PIP_USER, PIP_TARGET, PIP_PREFIX, ...rest } = process.env;
  return rest;
}
