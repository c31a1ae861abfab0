/** Headless Chromium, driven by its DevTools protocol over a pipe: pages are opened, looked into, typed into and photographed. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Readable, Writable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";

/** Chromium or Chrome on PATH; undefined where there is none. */
export function findChromium(): string | undefined {
  const folders = (process.env.PATH ?? "").split(path.delimiter);
  const names = ["chromium", "chromium-browser", "google-chrome"];
  return names.flatMap((name) => folders.map((folder) => path.join(folder, name))).find((file) => existsSync(file));
}

interface Answer {
  readonly id?: number;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

export class Chromium {
  private readonly profile = mkdtempSync(path.join(os.tmpdir(), "chromium-"));
  private readonly process: ChildProcess;
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private count = 0;
  private rest = "";

  constructor(program: string) {
    const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"];
    const args = [...flags, "--remote-debugging-pipe", `--user-data-dir=${this.profile}`];
    this.process = spawn(program, args, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    (this.process.stdio[4] as Readable).setEncoding("utf8").on("data", (piece: string) => this.read(piece));
  }

  /** Answers are separated by NUL. */
  private read(piece: string): void {
    const texts = (this.rest + piece).split("\0");
    this.rest = texts.pop()!;
    for (const answer of texts.map((text) => JSON.parse(text) as Answer)) {
      this.waiting.get(answer.id ?? -1)?.(answer);
      this.waiting.delete(answer.id ?? -1);
    }
  }

  send(method: string, params: object = {}, sessionId?: string): Promise<Record<string, unknown>> {
    const id = ++this.count;
    (this.process.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((resolve, reject) => {
      this.waiting.set(id, ({ result = {}, error }) =>
        error ? reject(new Error(`${method}: ${error.message}`)) : resolve(result),
      );
    });
  }

  async open(url: string, { width, height = 1000 }: { width: number; height?: number }): Promise<Page> {
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page(this, sessionId as string);
    await page.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
    await page.send("Page.navigate", { url });
    return page;
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.process.once("close", resolve));
    await Promise.race([this.send("Browser.close").catch(() => {}), pause(2000)]);
    this.process.kill("SIGKILL");
    await ended;
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

export class Page {
  constructor(
    private readonly browser: Chromium,
    private readonly session: string,
  ) {}

  send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    return this.browser.send(method, params, this.session);
  }

  /** The value of an expression in the page; must survive JSON. */
  async value<T>(expression: string): Promise<T> {
    const answer = await this.send("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
    const { result, exceptionDetails } = answer as { result: { value: T }; exceptionDetails?: { text: string } };
    if (exceptionDetails) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    return result.value;
  }

  /** Waits until the expression is truthy. @throws after so many seconds */
  async until(expression: string, seconds = 120): Promise<void> {
    for (const end = Date.now() + 1000 * seconds; Date.now() < end; await pause(300))
      if (await this.value<boolean>(`Boolean(${expression})`).catch(() => false)) return;
    throw new Error(`not within ${seconds} s: ${expression}`);
  }

  /** Presses a key; 2 is Ctrl, 8 is Shift. */
  async press(key: string, code: number, modifiers = 0): Promise<void> {
    const event = { key, code: key, windowsVirtualKeyCode: code, modifiers };
    await this.send("Input.dispatchKeyEvent", { type: "rawKeyDown", ...event });
    await this.send("Input.dispatchKeyEvent", { type: "keyUp", ...event });
  }

  /** Clicks with the mouse into the middle of an element. */
  async click(selector: string): Promise<void> {
    const { x, y } = await this.value<{ x: number; y: number }>(
      `(({ left, top, width, height }) => ({ x: left + width / 2, y: top + height / 2 }))(document.querySelector('${selector}').getBoundingClientRect())`,
    );
    const event = { x, y, button: "left", clickCount: 1 };
    await this.send("Input.dispatchMouseEvent", { type: "mousePressed", ...event });
    await this.send("Input.dispatchMouseEvent", { type: "mouseReleased", ...event });
  }

  async type(text: string): Promise<void> {
    await this.send("Input.insertText", { text });
  }

  async photograph(file: string): Promise<void> {
    const { data } = await this.send("Page.captureScreenshot", { format: "png" });
    writeFileSync(file, Buffer.from(data as string, "base64"));
  }
}
