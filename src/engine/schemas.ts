/** Schemas of a registry's entries, for a config field that names one of them: { name, ...options }. */
import type { z } from "zod";

/** The compiler keeps each schema's own type, so that a config's options are typed by its entry's name. */
export function schemasOf<const Entries extends readonly { readonly schema: z.ZodType }[]>(entries: Entries) {
  return entries.map(({ schema }) => schema) as unknown as { -readonly [At in keyof Entries]: Entries[At]["schema"] };
}

interface Named {
  readonly schema: { readonly shape: { readonly name: { readonly value: string } } };
}

/** The name by which configs choose an entry of a registry: the literal of its schema. */
export function nameOf<Entry extends Named>({ schema }: Entry): Entry["schema"]["shape"]["name"]["value"] {
  return schema.shape.name.value;
}

/** The entry of a registry with this name; undefined if there is none. */
export function entryNamed<Entry extends Named>(entries: readonly Entry[], name: unknown): Entry | undefined {
  return entries.find((each) => nameOf(each) === name);
}
