/** Checks that several losses share. */

/** @throws where the value is outside [0, 1] */
export function checkShare(name: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw new Error(`${name} = ${value}: expected a number in [0, 1]`);
}

/** @throws where the value is negative or not finite */
export function checkFactor(name: string, value: number): void {
  if (!(value >= 0 && value < Infinity)) throw new Error(`${name} = ${value}: expected a finite number of at least 0`);
}
