/** Compiles cells in a confined process of its own: types can make a compiler run forever, and its errors may not stop the grading. */
import readline from "node:readline";
import type { CompiledCell } from "./cells";
import type { ConfinedProcess, Limits, Sandbox } from "./sandbox";

export interface CompilerOptions {
  readonly sandbox: Sandbox;
  readonly limits: Limits;
  /** Longest that one cell may compute. */
  readonly seconds: number;
}

/** The compiler starts with the first cell and loads the kit's types then. */
const startSeconds = 60; // ours: it takes about 5

export class Compiler {
  private readonly known = new Map<string, CompiledCell>();
  private last: Promise<unknown> = Promise.resolve();
  private process: { readonly confined: ConfinedProcess; readonly answers: AsyncIterator<string> } | undefined;

  constructor(private readonly options: CompilerOptions) {}

  /** Cells in order, each seeing what those before it declare. A cell with problems declares nothing, as in tslab. */
  async compileAll(sources: readonly string[]): Promise<CompiledCell[]> {
    const cells: CompiledCell[] = [];
    let declarations = "";
    for (const source of sources) {
      const cell = await this.compile(source, declarations);
      if (cell.problems.length === 0) declarations = cell.declOutput ?? "";
      cells.push(cell);
    }
    return cells;
  }

  close(): void {
    this.process?.confined.end("finished");
    this.process = undefined;
  }

  private async compile(source: string, declarations: string): Promise<CompiledCell> {
    const request = JSON.stringify({ declarations, source });
    const cell = this.known.get(request) ?? (await this.ask(request));
    this.known.set(request, cell);
    return cell;
  }

  /** One question at a time. */
  private ask(request: string): Promise<CompiledCell> {
    const answer = this.last.then(() => this.askNow(request));
    this.last = answer.catch(() => {});
    return answer;
  }

  private async askNow(request: string): Promise<CompiledCell> {
    const { seconds } = this.options;
    const limit = seconds + (this.process ? 0 : startSeconds);
    const { confined, answers } = (this.process ??= this.start());
    confined.allow(limit);
    confined.child.stdin!.write(request + "\n");
    const { value, done } = await answers.next();
    confined.allow(Infinity);
    if (!done) return JSON.parse(value) as CompiledCell;
    const { stderr } = await confined.ended;
    this.process = undefined;
    const why = confined.reason() ? `took more than ${limit} s or too much memory` : `broke off ${stderr.trim().slice(-200)}`;
    return { problems: [`checking the types of this cell ${why}`] };
  }

  private start(): { confined: ConfinedProcess; answers: AsyncIterator<string> } {
    const { sandbox, limits } = this.options;
    const confined = sandbox.start("compiler.js", { limits, stdio: ["pipe", "pipe", "pipe"] });
    // A request to a compiler that has just ended: its missing answer tells.
    confined.child.stdin!.on("error", () => {});
    const lines = readline.createInterface({ input: confined.child.stdout! });
    return { confined, answers: lines[Symbol.asyncIterator]() };
  }
}
