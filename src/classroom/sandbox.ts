/**
 * Where student code runs: Linux namespaces with an empty file system that shows only the kit's program files, read-only, no network, its
 * own processes and an unprivileged user, under limits of memory, processes and time. util-linux alone is needed, with or without root.
 */
import { spawn, spawnSync, type ChildProcess, type StdioOptions } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { projectRoot } from "../data/files";
import { cellFolder } from "./cells";

export interface Limits {
  /** MiB of all processes of one submission together. */
  readonly memory: number;
  /** Processes and threads of one submission. */
  readonly processes: number;
}

export interface Sandbox {
  /** False: student code has the rights of whoever grades. */
  readonly confined: boolean;
  /** Starts a script of this folder under the limits. */
  start(script: string, options: StartOptions): ConfinedProcess;
}

export interface StartOptions {
  readonly limits: Limits;
  readonly stdio: StdioOptions;
}

export interface ConfinedProcess {
  readonly child: ChildProcess;
  /**
   * From now on it may compute for that many seconds, with all that it started, and take ten times as long: a busy machine is not the
   * student's fault.
   */
  allow(seconds: number): void;
  /** Why the process was ended from here; undefined where it was not. */
  reason(): EndReason | undefined;
  /** Ends it with everything that it started. */
  end(reason: EndReason): void;
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string }>;
}

export type EndReason = "time" | "memory" | "processes" | "finished";

// systemd's range for users that exist for one service: no file of the system belongs to them.
const firstUser = 61184;
const users = 4000;
let started = 0;

/** Another user for each process: Linux counts processes by user, so a fork bomb would stop its neighbors too. */
function nextUser(): number {
  return firstUser + ((process.pid + started++) % users);
}

/**
 * The strictest sandbox that this system allows.
 * @throws where it allows none, and `unconfined` does not accept that
 */
export function openSandbox({ unconfined = false }: { unconfined?: boolean } = {}): Sandbox {
  const obstacle = obstacleToNamespaces();
  if (obstacle === undefined) return { confined: true, start: (script, options) => startConfined(script, options) };
  if (unconfined) return { confined: false, start: (script, options) => startPlain(script, options) };
  throw new Error(
    `This system does not let the grader confine student code: ${obstacle}\n` +
      "Without that, a submission can read and change whatever you can, its neighbors and the solutions included. Grade in a container\n" +
      "or virtual machine that holds nothing else, and say so with --unconfined.",
  );
}

/** A sentence, or undefined where a process can be confined: found by confining one. */
export function obstacleToNamespaces(): string | undefined {
  if (process.platform !== "linux") return `namespaces exist on Linux only, this is ${process.platform}.`;
  const folder = temporaryFolder();
  const { status, stderr, error } = spawnSync(
    "unshare",
    confinedArguments(folder, ["-e", ""], { memory: 2048, processes: 256 }),
    {
      ...{ encoding: "utf8", env: studentEnvironment(), timeout: 20_000, cwd: "/" },
    },
  );
  fs.rmSync(folder, { recursive: true, force: true });
  if (status === 0) return undefined;
  return `${error?.message ?? stderr.match(/^\w+: .*/m)?.[0] ?? `unshare ended with ${status}`}.`;
}

function temporaryFolder(): string {
  return fs.mkdtempSync(path.join(os.tmpdir(), "sharpness-grading-"));
}

/** Nothing of the grader's own environment. */
function studentEnvironment(): NodeJS.ProcessEnv {
  return {
    PATH: "/usr/bin:/bin:/usr/sbin:/sbin",
    HOME: cellFolder(),
    SHARPNESS_THREADS: "1",
    TF_CPP_MIN_LOG_LEVEL: "3",
    LANG: "C.UTF-8",
  };
}

function startConfined(script: string, { limits, stdio }: StartOptions): ConfinedProcess {
  const folder = temporaryFolder();
  const args = confinedArguments(folder, nodeArguments(script, limits), limits);
  const child = spawn("unshare", args, { stdio, env: studentEnvironment(), detached: true, cwd: "/" });
  return guarded(child, { limits, folder });
}

function startPlain(script: string, { limits, stdio }: StartOptions): ConfinedProcess {
  const options = { stdio, env: studentEnvironment(), detached: true, cwd: cellFolder() };
  return guarded(spawn(process.execPath, nodeArguments(script, limits), options), { limits });
}

function nodeArguments(script: string, { memory }: Limits): string[] {
  const file = path.join(projectRoot(), "dist", "classroom", script);
  return [`--max-old-space-size=${Math.floor(memory * 0.75)}`, file];
}

function confinedArguments(folder: string, args: readonly string[], limits: Limits): string[] {
  const root = process.getuid?.() === 0;
  const namespaces = ["--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child"];
  const user = root ? [] : ["--user", "--map-root-user"];
  return [...user, ...namespaces, "sh", "-c", confiningScript(folder, { root, limits }), "sh", process.execPath, ...args];
}

/** Builds the file system that student code sees, then gives up every privilege and starts what its arguments say. */
function confiningScript(folder: string, { root, limits }: { root: boolean; limits: Limits }): string {
  const kit = projectRoot();
  const shown = ["dist", "node_modules", ".venv"].map((name) => path.join(kit, name)).filter((each) => fs.existsSync(each));
  const files = [process.execPath, path.join(kit, "package.json"), "/etc/ld.so.cache"].filter((each) => fs.existsSync(each));
  const user = nextUser();
  const setpriv = root ? `--reuid=${user} --regid=${user} --clear-groups` : "";
  const bytes = limits.memory * 2 ** 20;
  // Twice the memory as a hard bound on each process: the watch, which looks a few times per second, ends them before.
  const prlimit = `--nproc=${limits.processes} --data=${2 * bytes} --fsize=${2 ** 28} --core=0 --cpu=3600`;
  return `set -eu
new=${quoted(folder)}
mount -t tmpfs -o size=64m,mode=755 tmpfs "$new"
show() { mkdir -p "$new$2"; mount --rbind "$1" "$new$2"; mount -o remount,bind,ro,nosuid,nodev "$new$2"; }
device() { mkdir -p "$new$(dirname "$1")"; : > "$new$1"; mount --bind "$1" "$new$1"; }
file() { [ -e "$new$1" ] || { device "$1"; mount -o remount,bind,ro,nosuid,nodev "$new$1"; }; }
mkdir -p "$new/proc" "$new/tmp"
mount -t proc proc "$new/proc"
mount -t tmpfs -o size=64m,mode=1777 tmpfs "$new/tmp"
for each in /usr /bin /sbin /lib /lib32 /lib64; do
  if [ -L "$each" ]; then ln -s "$(readlink "$each")" "$new$each"; elif [ -d "$each" ]; then show "$each" "$each"; fi
done
${shown.map((each) => `show ${quoted(fs.realpathSync(each))} ${quoted(each)}`).join("\n")}
for each in ${files.map(quoted).join(" ")}; do file "$each"; done
for each in null zero random urandom; do device "/dev/$each"; done
mkdir -p "$new"${quoted(cellFolder())}
mount -t tmpfs -o size=64m,mode=1777 tmpfs "$new"${quoted(cellFolder())}
mount -o remount,bind,ro "$new"
cd "$new"${quoted(cellFolder())}
exec chroot "$new" setpriv ${setpriv} --bounding-set=-all --inh-caps=-all --no-new-privs \\
  prlimit ${prlimit} -- sh -c ${quoted(`cd ${quoted(cellFolder())} && exec "$@"`)} sh "$@"`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

const watchInterval = 150;

/** Processes that run now. They are in groups of their own, so Ctrl-C in the grader's terminal does not reach them. */
const running = new Set<ChildProcess>();
const endings = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Nothing of a student's outlives the grader, unless that is killed: the limit of an hour's computing ends it then. */
function endWithGrader(child: ChildProcess): void {
  if (running.size === 0) {
    process.on("exit", endAll);
    for (const signal of endings) process.on(signal, endAllAndGrader);
  }
  running.add(child);
}

function forget(child: ChildProcess): void {
  if (!running.delete(child) || running.size > 0) return;
  process.off("exit", endAll);
  for (const signal of endings) process.off(signal, endAllAndGrader);
}

function endAll(): void {
  running.forEach(killTree);
}

function endAllAndGrader(signal: NodeJS.Signals): void {
  endAll();
  for (const each of endings) process.off(each, endAllAndGrader);
  process.kill(process.pid, signal);
}

function guarded(child: ChildProcess, { limits, folder }: { limits: Limits; folder?: string }): ConfinedProcess {
  endWithGrader(child);
  let reason: EndReason | undefined;
  let stderr = "";
  const end = (why: EndReason) => {
    reason ??= why;
    killTree(child);
  };
  child.stderr?.on("data", (text: Buffer) => (stderr = (stderr + text.toString()).slice(-2000)));
  let allowed = { computed: Infinity, until: Infinity };
  const allow = (seconds: number) => {
    const { computed } = usage(child.pid!);
    allowed = { computed: computed + seconds, until: Date.now() + 10_000 * seconds };
  };
  const watch = setInterval(() => {
    const { memory, processes, computed } = usage(child.pid!);
    if (memory > limits.memory) end("memory");
    else if (processes > limits.processes) end("processes");
    else if (computed > allowed.computed || Date.now() > allowed.until) end("time");
  }, watchInterval);
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve) => {
    const finish = (code: number | null) => {
      clearInterval(watch);
      forget(child);
      if (folder) fs.rmSync(folder, { recursive: true, force: true });
      resolve({ code, stderr });
    };
    child.on("error", () => finish(null)).on("close", finish);
  });
  return { child, allow, reason: () => reason, end, ended };
}

/** The namespace's first process takes all others with it, whatever groups they are in. */
function killTree(child: ChildProcess): void {
  const pids = child.pid === undefined ? [] : [...treeOf(child.pid).map(({ pid }) => pid), child.pid].reverse();
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}

interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly pages: number;
  readonly threads: number;
  /** Clock ticks of computing, those of ended children included. */
  readonly ticks: number;
}

interface Usage {
  /** MiB */
  readonly memory: number;
  readonly processes: number;
  /** Seconds of computing. */
  readonly computed: number;
}

/** Of a process and all of its descendants. Linux counts pages of 4 KiB and 100 ticks a second on the processors that TensorFlow runs on. */
function usage(pid: number): Usage {
  const rows = treeOf(pid);
  const sum = (field: "pages" | "threads" | "ticks") => rows.reduce((total, row) => total + row[field], 0);
  return { memory: (sum("pages") * 4096) / 2 ** 20, processes: sum("threads"), computed: sum("ticks") / 100 };
}

/** A process and its descendants, as /proc lists them; none on other systems. */
function treeOf(root: number): ProcessRow[] {
  if (process.platform !== "linux") return [];
  const rows = fs.readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? (processRow(Number(name)) ?? []) : []));
  const tree = rows.filter(({ pid }) => pid === root);
  for (let parents = [root]; parents.length > 0; ) {
    const children = rows.filter(({ parent }) => parents.includes(parent));
    tree.push(...children);
    parents = children.map(({ pid }) => pid);
  }
  return tree;
}

/** proc(5): the fields behind the name, which may itself hold blanks and brackets. */
function processRow(pid: number): ProcessRow | undefined {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text
      .slice(text.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number);
    const ticks = fields.slice(11, 15).reduce((sum, each) => sum + each, 0);
    return { pid, parent: fields[1]!, threads: fields[17]!, pages: fields[21]!, ticks };
  } catch {
    return undefined;
  }
}
