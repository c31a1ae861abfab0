/** Random streams: one seed is split by name into independent generators (sfc32, keyed by a 128-bit hash of the names on the way). */

export type RngKey = readonly [number, number, number, number];

/**
 * A deterministic random stream. `split` depends on the seed and the names alone, never on what was drawn before,
 * so that adding a draw in one place changes nothing elsewhere.
 *
 *     const rng = new Rng(0);
 *     model.init(rng.split("init"));
 *     const order = rng.split("order").split(epoch).permutation(50_000);
 */
export class Rng {
  /** @internal Count of numbers drawn in this process; a change tells that a function draws some. */
  static draws = 0;
  /** @internal `new Rng(rng.key)` is the same stream from its start, in another thread too. */
  readonly key: RngKey;
  private readonly state: Int32Array;
  private spareNormal: number | undefined;

  /** @param seed any number or string; 0 is a seed like any other */
  constructor(seed: number | string);
  /** @internal */
  constructor(key: RngKey);
  constructor(seed: number | string | RngKey) {
    this.key = seed instanceof Array ? seed : childKey([0, 0, 0, 0], seed);
    this.state = Int32Array.from(this.key);
    for (let i = 0; i < 12; i++) this.advance();
  }

  /** An independent stream for one purpose. */
  split(name: number | string): Rng {
    return new Rng(childKey(this.key, name));
  }

  /** A 32-bit unsigned integer, for code that needs a seed. */
  next(): number {
    Rng.draws++;
    return this.advance();
  }

  private advance(): number {
    const s = this.state;
    const result = (s[0]! + s[1]! + s[3]!) | 0;
    s[3] = (s[3]! + 1) | 0;
    s[0] = s[1]! ^ (s[1]! >>> 9);
    s[1] = (s[2]! + (s[2]! << 3)) | 0;
    s[2] = (((s[2]! << 21) | (s[2]! >>> 11)) + result) | 0;
    return result >>> 0;
  }

  /** Uniform in [0, 1), 53 bits. */
  uniform(): number {
    return ((this.next() >>> 5) * 67108864 + (this.next() >>> 6)) / 9007199254740992;
  }

  /** Uniform integer in [0, bound). */
  int(bound: number): number {
    return Math.floor(this.uniform() * bound);
  }

  /** Standard normal (Marsaglia's polar method). */
  normal(): number {
    if (this.spareNormal !== undefined) {
      const spare = this.spareNormal;
      this.spareNormal = undefined;
      return spare;
    }
    let u: number, v: number, s: number;
    do {
      u = 2 * this.uniform() - 1;
      v = 2 * this.uniform() - 1;
      s = u * u + v * v;
    } while (s >= 1 || s === 0);
    const scale = Math.sqrt((-2 * Math.log(s)) / s);
    this.spareNormal = v * scale;
    return u * scale;
  }

  /** +1 or −1 with equal probability. */
  rademacher(): number {
    return this.next() & 1 ? 1 : -1;
  }

  /** Gamma(shape, 1) (Marsaglia and Tsang 2000). */
  gamma(shape: number): number {
    if (shape < 1) return this.gamma(shape + 1) * Math.pow(this.uniform(), 1 / shape);
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = this.normal();
      const v = (1 + c * x) ** 3;
      if (v > 0 && Math.log(1 - this.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
    }
  }

  /** Beta(a, b). */
  beta(a: number, b: number): number {
    const x = this.gamma(a);
    return x / (x + this.gamma(b));
  }

  /** A permutation of 0 … n−1 (Fisher–Yates). */
  permutation(n: number): Int32Array {
    const order = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.int(i + 1);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    return order;
  }

  /** (n) values drawn by `draw`; default: standard normal. */
  array(n: number, draw: "normal" | "uniform" | "rademacher" = "normal"): Float32Array {
    const values = new Float32Array(n);
    for (let i = 0; i < n; i++) values[i] = this[draw]();
    return values;
  }
}

function childKey(parent: RngKey, name: number | string): RngKey {
  if (typeof name !== "string" && !Number.isFinite(name)) throw new Error(`seed = ${name}: expected a finite number or a string`);
  return hash(parent, `${typeof name}:${name}`);
}

function hash(parent: RngKey, name: string): RngKey {
  let [a, b, c, d] = parent;
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    a = mix(a ^ code, b);
    b = mix(b + code, c);
    c = mix(c ^ a, d);
    d = mix(d + b, a);
  }
  for (let i = 0; i < 4; i++) [a, b, c, d] = [mix(b, a), mix(c, b), mix(d, c), mix(a, d)];
  return [a, b, c, d];
}

// The finaliser of MurmurHash3 over a and b.
function mix(a: number, b: number): number {
  let h = (Math.imul(a, 0xcc9e2d51) ^ Math.imul((b << 13) | (b >>> 19), 0x1b873593) ^ 0x9e3779b9) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 0;
}
