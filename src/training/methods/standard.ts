/** Training as it is without any method: each batch with its labels, one network. */
import { z } from "zod";
import { defineMethod } from "./method";

const standardSchema = z.strictObject({ name: z.literal("standard") });

export const standard = defineMethod({
  schema: standardSchema,
  create: () => ({ memory: {} }),
});
