/** Step 3: the C++ binding of @tensorflow/tfjs-node-gpu, compiled against the wheel's TensorFlow. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { readJson, sha256, writeJson } from "./files.mjs";
import { packageVersion } from "./packages.mjs";
import { cudaLibraryFolders, tensorflowFlavor, tensorflowFolder, tensorflowVersion } from "./python.mjs";
import { run, runLong, tellingLine, which } from "./shell.mjs";
import { StepFailure } from "./steps.mjs";

const packageName = "@tensorflow/tfjs-node-gpu";
// The newest Node-API that the package's loader knows.
const napi = "8";
const slower = "The kit runs on WebGPU, WebAssembly or plain JavaScript, which is slower.";

export function bindingStep(root) {
  return {
    name: "native engine",
    doing: "compiling TensorFlow's binding for Node (about 20 s)",
    there: () => {
      const key = bindingKey(root);
      const stamp = readJson(path.join(bindingFolder(root), "built.json"));
      return key && stamp?.key === key && existsSync(bindingFile(root)) ? describe() : undefined;
    },
    make: async () => compile(root),
  };
}

function describe() {
  return `TensorFlow ${tensorflowVersion} through ${packageName}`;
}

function bindingFolder(root) {
  return path.join(root, "node_modules", packageName, `lib/napi-v${napi}`);
}

function bindingFile(root) {
  return path.join(bindingFolder(root), "tfjs_binding.node");
}

/** Changes with everything the binding is made of; undefined where TensorFlow's libraries are missing. */
function bindingKey(root) {
  if (!tensorflowFolder(root)) return undefined;
  const versions = [packageName, "node-api-headers"].map((name) => packageVersion(root, name));
  const args = compilerArguments(root, "out").map((arg) => arg.replaceAll(root, ""));
  const quiet = readFileSync(path.join(root, "src/setup/quiet.cc"));
  return sha256(...versions, tensorflowVersion, tensorflowFlavor(root) ?? "", process.arch, ...args, quiet);
}

function compilerArguments(root, output) {
  const folder = path.join(root, "node_modules", packageName);
  const headers = path.join(root, "node_modules/node-api-headers/include");
  const tensorflow = tensorflowFolder(root);
  // Relative, so that the project's folder may be moved.
  const rpath = `-Wl,-rpath,$ORIGIN/${path.relative(bindingFolder(root), tensorflow)}`;
  const sources = ["tfjs_backend.cc", "tfjs_binding.cc"].map((name) => path.join(folder, "binding", name));
  return [
    ...["-std=c++17", "-O2", "-shared", "-fPIC", `-DNAPI_VERSION=${napi}`],
    ...[`-I${headers}`, `-I${tensorflow}/include`, `-I${folder}`],
    ...[...sources, path.join(root, "src/setup/quiet.cc"), "-o", output],
    ...[`-L${tensorflow}`, "-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2", rpath, "-Wl,-z,initfirst"],
  ];
}

async function compile(root) {
  const compiler = checkedCompiler(root);
  const partial = path.join(bindingFolder(root), `partial-${process.pid}.node`);
  mkdirSync(bindingFolder(root), { recursive: true });
  removePartial(root);
  const compiled = await runLong(compiler, compilerArguments(root, partial));
  if (!compiled.ok) throw new StepFailure(`${path.basename(compiler)}: ${tellingLine(compiled.stderr)}. ${slower}`);
  checkLoads(root, partial);
  renameSync(partial, bindingFile(root));
  writeJson(path.join(bindingFolder(root), "built.json"), { key: bindingKey(root) });
  return describe();
}

function checkedCompiler(root) {
  const { platform, arch } = process;
  if (platform !== "linux") throw new StepFailure(`built on Linux only, this is ${platform} ${arch}. ${slower}`);
  if (!tensorflowFolder(root)) throw new StepFailure(`needs TensorFlow's libraries, see the line above. ${slower}`);
  const compiler = ["g++", "clang++", "c++"].map((name) => which(name)).find(Boolean);
  if (!compiler) throw new StepFailure(`no C++ compiler found (Debian: apt install g++). ${slower}`);
  return compiler;
}

// Files of interrupted compilations.
function removePartial(root) {
  for (const name of readdirSync(bindingFolder(root)))
    if (name.startsWith("partial-")) rmSync(path.join(bindingFolder(root), name), { force: true });
}

function checkLoads(root, file) {
  const script = `process.stdout.write(require(${JSON.stringify(file)}).TF_Version)`;
  const loaded = run(process.execPath, ["-e", script], { env: engineEnvironment(root) });
  if (loaded.ok && loaded.stdout === tensorflowVersion) return;
  removePartial(root);
  throw new StepFailure(`the compiled binding does not load: ${tellingLine(loaded.stderr || loaded.stdout)}. ${slower}`);
}

/** The environment that programs with the engine in them run in. */
export function engineEnvironment(root, env = process.env) {
  const cuda = cudaLibraryFolders(root);
  const libraries = [...cuda, ...(env.LD_LIBRARY_PATH ?? "").split(":").filter(Boolean)];
  const logLevel = { TF_CPP_MIN_LOG_LEVEL: env.TF_CPP_MIN_LOG_LEVEL ?? "2" };
  return { ...env, ...logLevel, ...(cuda.length > 0 && { LD_LIBRARY_PATH: [...new Set(libraries)].join(":") }) };
}
