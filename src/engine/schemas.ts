/** Schemas of a registry's entries, for a config field that names one of them: { name, ...options }. */
import type { z } from "zod";

/** The compiler keeps each schema's own type, so that a config's options are typed by its entry's name. */
export function schemasOf<const Entries extends readonly { readonly schema: z.ZodType }[]>(entries: Entries) {
  return entries.map(({ schema }) => schema) as unknown as { -readonly [At in keyof Entries]: Entries[At]["schema"] };
}
