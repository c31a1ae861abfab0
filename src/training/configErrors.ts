/** Config errors in the words of whoever wrote the config: what came, what was expected, and which field was probably meant. */
import { closest, distance } from "fastest-levenshtein";
import type { z } from "zod";

interface Context {
  readonly what: string;
  readonly input: unknown;
  readonly schema: z.ZodType;
}

/** One line per problem. */
export function explainIssues(error: z.ZodError, { what, input, schema }: Context): string {
  const lines = error.issues.flatMap((issue) => explain(issue, input, schema));
  return `${what}: ${lines.join("; ")}`;
}

function explain(issue: z.core.$ZodIssue, input: unknown, schema: z.ZodType): string[] {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    const known = fieldsAt(schema, path);
    return issue.keys.map((key) => `unknown field "${[...path, key].join(".")}"${suggestion(key, known)}`);
  }
  const value = path.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], input);
  const came = value === undefined ? "is missing" : `= ${JSON.stringify(value)}`;
  return [`${path.join(".") || "value"} ${came}: ${lowerFirst(issue.message)}`];
}

function suggestion(key: string, known: readonly string[]): string {
  if (known.length === 0) return "";
  const nearest = closest(key, known as string[]);
  const close = distance(key.toLowerCase(), nearest.toLowerCase()) <= Math.max(2, key.length / 2);
  return close ? `, did you mean "${nearest}"?` : `; known are ${known.join(", ")}`;
}

function fieldsAt(schema: z.ZodType, path: readonly string[]): string[] {
  let at: unknown = schema;
  for (const key of path) at = unwrap(at)?.shape?.[key];
  return Object.keys(unwrap(at)?.shape ?? {});
}

interface Shaped {
  shape?: Record<string, unknown>;
  unwrap?: () => unknown;
}

function unwrap(schema: unknown): Shaped | undefined {
  let at = schema as Shaped | undefined;
  while (at && !at.shape && at.unwrap) at = at.unwrap() as Shaped;
  return at;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
