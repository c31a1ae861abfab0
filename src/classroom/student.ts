/**
 * The process that student code runs in. Everything here can be patched by that code, so nothing here is believed: it returns values, and
 * the examiner judges them. Descriptors 3 and 4 lead to the examiner.
 */
import { cellRunner, errorText, type CellRunner, type CompiledCell } from "./cells";
import { decode, encode, Wire } from "./wire";

const wire = new Wire({ read: 3, write: 4 });

async function main(): Promise<void> {
  // As in tslab's kernel: a rejected promise that nobody awaits does not end the notebook.
  process.on("unhandledRejection", () => {}).on("uncaughtException", () => {});
  const runner = cellRunner();
  wire.send({ is: "ready" });
  for (let message = wire.receive(); message; message = wire.receive()) wire.send(await answer(message, runner));
  process.exit(0);
}

async function answer(message: Record<string, unknown>, runner: CellRunner): Promise<object> {
  if (message.do === "run") return { is: "ran", error: await runner.run(message.cell as CompiledCell) };
  try {
    const value = runner.locals[String(message.name)];
    if (message.do === "look") return typeof value === "function" ? { is: "function" } : { is: "value", value: encode(value) };
    if (typeof value !== "function") throw new Error(`${String(message.name)} is not defined`);
    const args = (message.args as unknown[]).map((each) => decode(each, callBack));
    return { is: "returned", value: encode(await (value as (...args: unknown[]) => unknown)(...args)) };
  } catch (error) {
    return { is: "threw", message: errorText(error) };
  }
}

/** A function that the test passed in runs on the test's side. */
function callBack(id: number, args: unknown[]): unknown {
  wire.send({ is: "callback", id, args: args.map((each) => encode(each)) });
  const reply = wire.receive();
  if (!reply || reply.do === "failed") throw new Error(String(reply?.message ?? "the test is gone"));
  return decode(reply.value);
}

void main();
