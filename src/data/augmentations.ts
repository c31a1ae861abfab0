/** The augmentations that a config names. */
import { cutout, horizontalFlip, perImage, reflectCrop, type Augmentation, type ImageOp } from "./augment";
import { autoAugment, randAugment } from "./autoAugment";
import { randomResizedCrop } from "./image";

/**
 * "basic": flip, then reflection-padded crop; "cutout": basic, then one box per image, as in the paper's tables. AutoAugment comes
 * first, and cutout follows: "autoaugment" with CIFAR-10's policy (the paper's for both CIFARs), "autoaugment-svhn" without flip and
 * crop (official code: aa-only), "autoaugment-imagenet"; "autoaugment-scaled" has CIFAR-10's policy with levels that fit small images.
 * "random-resized-crop" is ImageNet's: a random box of 8 … 100 %, then flip; "randaugment" has RandAugment between the two.
 */
export type AugmentName =
  | "none"
  | "basic"
  | "cutout"
  | "autoaugment"
  | "autoaugment-svhn"
  | "autoaugment-imagenet"
  | "autoaugment-scaled"
  | "random-resized-crop"
  | "randaugment";

const basic = () => [horizontalFlip(), reflectCrop()];

/** The augmentations by name. */
export const augmentations: Readonly<Record<AugmentName, Augmentation>> = {
  none: { name: "none" },
  basic: { name: "basic", bytes: perImage(...basic()) },
  cutout: withCutout("cutout", basic()),
  autoaugment: withCutout("autoaugment", [autoAugment({ policy: "cifar10" }), ...basic()]),
  "autoaugment-svhn": withCutout("autoaugment-svhn", [autoAugment({ policy: "svhn" })]),
  "autoaugment-imagenet": withCutout("autoaugment-imagenet", [autoAugment({ policy: "imagenet" }), ...basic()]),
  "autoaugment-scaled": withCutout("autoaugment-scaled", [
    autoAugment({ policy: "cifar10", reference: "autoaugment" }),
    ...basic(),
  ]),
  "random-resized-crop": { name: "random-resized-crop", bytes: perImage(randomResizedCrop(), horizontalFlip()) },
  randaugment: { name: "randaugment", bytes: perImage(randomResizedCrop(), randAugment(), horizontalFlip()) },
};

/** Names of the augmentations, as `training.augment` takes them. */
export const augmentNames = Object.keys(augmentations) as [AugmentName, ...AugmentName[]];

/** Looks an augmentation up by name; one given as a value is returned unchanged. */
export function augmentation(augment: AugmentName | Augmentation): Augmentation {
  if (typeof augment !== "string") return augment;
  const found = Object.hasOwn(augmentations, augment) ? augmentations[augment] : undefined;
  if (!found) throw new Error(`augment = "${augment}": expected one of ${augmentNames.join(", ")}`);
  return found;
}

// Cutout draws from its own streams, so that flips and crops are the same with and without it.
function withCutout(name: string, ops: ImageOp<Uint8Array>[]): Augmentation {
  const box = perImage(cutout());
  return { name, bytes: perImage(...ops), pixels: (images, place) => box(images, { ...place, rng: place.rng.split("cutout") }) };
}
