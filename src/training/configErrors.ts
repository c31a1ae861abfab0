/** Config errors in the words of whoever wrote the config: what came, what was expected, and which name was probably meant. */
import type { z } from "zod";
import { nearestName, suggestName } from "../engine/options";

interface Context {
  readonly what: string;
  readonly input: unknown;
  readonly schema: z.ZodType;
}

/** One line, with every problem. */
export function explainIssues(error: z.ZodError, { what, input, schema }: Context): string {
  const ofFields = error.issues.filter(({ code }) => code !== "custom");
  // Conflicts between fields do not matter while a single field is wrong.
  const issues = ofFields.length > 0 ? ofFields : error.issues;
  const problems = issues.flatMap((issue) => explain(issue, { node: schema as Node, value: input }));
  return `${what}: ${problems.join("; ")}`;
}

/** The parts of a zod schema that this file reads. */
interface Node {
  readonly shape?: Readonly<Record<string, Node>>;
  /** The kinds of a union. */
  readonly options?: readonly Node[];
  readonly def?: { readonly discriminator?: string };
  /** Value of a literal. */
  readonly value?: unknown;
  unwrap?(): Node;
}

/** A place in the schema, and what the config has there. */
interface Place {
  readonly node: Node | undefined;
  readonly value: unknown;
}

function explain(issue: z.core.$ZodIssue, root: Place): string[] {
  const path = issue.path.map(String);
  const where = path.join(".");
  if (issue.code === "custom") return [where ? `${where}: ${issue.message}` : issue.message];
  const place = placeAt(root, path);
  if (issue.code === "unrecognized_keys") {
    const known = Object.keys(fieldsOf(place) ?? {});
    return issue.keys.map((key) => `unknown field "${[...path, key].join(".")}"${suggestName(key, known)}`);
  }
  const came = place.value === undefined ? "is missing" : `= ${show(place.value)}`;
  return [`${where || "value"} ${came}: ${expectation(issue, place, root)}`];
}

function placeAt(root: Place, path: readonly string[]): Place {
  return path.reduce<Place>(
    (at, key) => ({ node: fieldsOf(at)?.[key], value: (at.value as Record<string, unknown> | null | undefined)?.[key] }),
    root,
  );
}

function fieldsOf({ node, value }: Place): Readonly<Record<string, Node>> | undefined {
  const at = unwrapped(node);
  const discriminator = at?.def?.discriminator;
  if (discriminator === undefined) return at?.shape;
  const kind = (value as Record<string, unknown> | null | undefined)?.[discriminator];
  return at?.options?.find(({ shape }) => shape?.[discriminator]?.value === kind)?.shape;
}

/** Without what is around it: optional, default. */
function unwrapped(node: Node | undefined): Node | undefined {
  let at = node;
  while (at && !at.shape && at.unwrap) at = at.unwrap();
  return at;
}

function expectation(issue: z.core.$ZodIssue, { value }: Place, root: Place): string {
  if (value === Infinity || value === -Infinity) return "expected a finite number";
  if (issue.code === "invalid_value") return oneOf(issue.values, value);
  if (issue.code !== "invalid_union") return withoutPrefix(issue.message);
  const { discriminator } = issue;
  if (discriminator === undefined) return issue.errors.map(([first]) => withoutPrefix(first!.message)).join(" or ");
  const node = unwrapped(placeAt(root, issue.path.slice(0, -1).map(String)).node);
  return oneOf(node?.options?.map(({ shape }) => shape?.[discriminator]?.value) ?? [], value);
}

function oneOf(values: readonly unknown[], came: unknown): string {
  const near = typeof came === "string" ? nearestName(came, values.map(String)) : undefined;
  const expected = values.length === 1 ? show(values[0]) : `one of ${values.map(show).join(", ")}`;
  return `expected ${expected}${near === undefined ? "" : `; did you mean "${near}"?`}`;
}

function show(value: unknown): string {
  return typeof value === "number" ? String(value) : JSON.stringify(value);
}

// zod's own words, without what is said already.
function withoutPrefix(message: string): string {
  return message.replace(/^[A-Z][a-z]+ [a-z]+: /, "").replace(/, received .*$/, "");
}
