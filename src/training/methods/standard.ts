/** Plain training: one network, each batch with its labels. */
import { z } from "zod";
import { defineMethod } from "./method";

const standardSchema = z.strictObject({ name: z.literal("standard") });

export const standard = defineMethod({
  schema: standardSchema,
  create: () => ({ memory: {} }),
});
