/**
 * Options that came after the first records. A recorded training without such a field was made with its former value, not with
 * today's default. Keys leave out a field that has its former value, so that the keys of old records hold.
 */
import type { TrainConfig } from "./config";
import { formerFields } from "./fields";
import { formerOptionsOf, type MethodConfig } from "./methods";

type Fields = Readonly<Record<string, unknown>>;

/** A training from a record, unchecked, with the former values of fields that it lacks. */
export function withFormerOptions(training: unknown): unknown {
  if (!isObject(training)) return training;
  const { method, mixupAlpha } = training;
  // Without mixup the pairing has no effect; today's default makes such a record equal to its plan.
  const withFields = { ...(Number(mixupAlpha) > 0 ? formerFields : {}), ...training };
  return isObject(method) ? { ...withFields, method: { ...formerOptionsOf(method.name), ...method } } : withFields;
}

/**
 * The part of a training that its key is made of.
 * @param differing its fields that differ from their defaults
 */
export function keyedOptions(differing: Fields, { mixupAlpha, mixupPairing, method }: TrainConfig): Fields {
  const { mixupPairing: _, ...rest } = differing;
  const isNew = mixupAlpha > 0 && mixupPairing !== formerFields.mixupPairing;
  return {
    ...rest,
    ...(isNew ? { mixupPairing } : {}),
    ...("method" in rest ? { method: withoutFormer(method) } : {}),
  };
}

function withoutFormer(method: MethodConfig): Fields {
  const former = formerOptionsOf(method.name);
  return Object.fromEntries(Object.entries(method).filter(([field, value]) => !(field in former) || former[field] !== value));
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}
