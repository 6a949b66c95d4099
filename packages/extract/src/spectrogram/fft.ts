/**
 * Discrete Fourier transform of complex data at any size whose prime factors are small, such as 800. Stockham's
 * autosort form, decimation in frequency: each pass reads one buffer and writes the other, and the result comes
 * out in natural order. float64 throughout.
 */
export class Fft {
  readonly size: number;
  private readonly factors: readonly number[];
  /** cos and -sin of 2 pi k / size */
  private readonly cosine: Float64Array;
  private readonly sine: Float64Array;
  private readonly spareRe: Float64Array;
  private readonly spareIm: Float64Array;

  /** @throws when the size has a prime factor above 7 */
  constructor(size: number) {
    this.size = size;
    this.factors = factorise(size);
    this.cosine = Float64Array.from({ length: size }, (_, k) => Math.cos((2 * Math.PI * k) / size));
    this.sine = Float64Array.from({ length: size }, (_, k) => -Math.sin((2 * Math.PI * k) / size));
    this.spareRe = new Float64Array(size);
    this.spareIm = new Float64Array(size);
  }

  /** Transforms in place: X[k] = sum over i of x[i] exp(-2 pi j i k / size). */
  transform(re: Float64Array, im: Float64Array): void {
    let [fromRe, fromIm, toRe, toIm] = [re, im, this.spareRe, this.spareIm];
    let stride = 1;
    for (const radix of this.factors) {
      if (radix === 4) this.passOfFour(stride, fromRe, fromIm, toRe, toIm);
      else if (radix === 5) this.passOfFive(stride, fromRe, fromIm, toRe, toIm);
      else this.pass(radix, stride, fromRe, fromIm, toRe, toIm);
      [fromRe, fromIm, toRe, toIm] = [toRe, toIm, fromRe, fromIm];
      stride *= radix;
    }
    if (fromRe !== re) {
      re.set(fromRe);
      im.set(fromIm);
    }
  }

  private passOfFour(
    s: number,
    xr: Float64Array,
    xi: Float64Array,
    yr: Float64Array,
    yi: Float64Array,
  ): void {
    const { size, cosine, sine } = this;
    const m = size / s / 4;
    const step = s * m;
    for (let k = 0; k < m; k++) {
      const c1 = cosine[k * s]!;
      const c2 = cosine[2 * k * s]!;
      const c3 = cosine[3 * k * s]!;
      const s1 = sine[k * s]!;
      const s2 = sine[2 * k * s]!;
      const s3 = sine[3 * k * s]!;
      for (let q = 0; q < s; q++) {
        const a = q + s * k;
        const b = a + step;
        const c = b + step;
        const d = c + step;
        const acr = xr[a]! + xr[c]!;
        const aci = xi[a]! + xi[c]!;
        const bdr = xr[b]! + xr[d]!;
        const bdi = xi[b]! + xi[d]!;
        const adr = xr[a]! - xr[c]!;
        const adi = xi[a]! - xi[c]!;
        const cdr = xr[b]! - xr[d]!;
        const cdi = xi[b]! - xi[d]!;
        const to = q + 4 * s * k;
        yr[to] = acr + bdr;
        yi[to] = aci + bdi;
        const r1 = adr + cdi;
        const i1 = adi - cdr;
        yr[to + s] = r1 * c1 - i1 * s1;
        yi[to + s] = r1 * s1 + i1 * c1;
        const r2 = acr - bdr;
        const i2 = aci - bdi;
        yr[to + 2 * s] = r2 * c2 - i2 * s2;
        yi[to + 2 * s] = r2 * s2 + i2 * c2;
        const r3 = adr - cdi;
        const i3 = adi + cdr;
        yr[to + 3 * s] = r3 * c3 - i3 * s3;
        yi[to + 3 * s] = r3 * s3 + i3 * c3;
      }
    }
  }

  private passOfFive(
    s: number,
    xr: Float64Array,
    xi: Float64Array,
    yr: Float64Array,
    yi: Float64Array,
  ): void {
    const { size, cosine, sine } = this;
    const m = size / s / 5;
    const step = s * m;
    for (let k = 0; k < m; k++) {
      for (let q = 0; q < s; q++) {
        const at = q + s * k;
        const x0 = xr[at]!;
        const y0 = xi[at]!;
        // x[j] and x[5 - j] share their cosines and have opposite sines.
        const sum1r = xr[at + step]! + xr[at + 4 * step]!;
        const sum1i = xi[at + step]! + xi[at + 4 * step]!;
        const sum2r = xr[at + 2 * step]! + xr[at + 3 * step]!;
        const sum2i = xi[at + 2 * step]! + xi[at + 3 * step]!;
        const dif1r = xr[at + step]! - xr[at + 4 * step]!;
        const dif1i = xi[at + step]! - xi[at + 4 * step]!;
        const dif2r = xr[at + 2 * step]! - xr[at + 3 * step]!;
        const dif2i = xi[at + 2 * step]! - xi[at + 3 * step]!;
        const even1r = x0 + COS_1 * sum1r + COS_2 * sum2r;
        const even1i = y0 + COS_1 * sum1i + COS_2 * sum2i;
        const even2r = x0 + COS_2 * sum1r + COS_1 * sum2r;
        const even2i = y0 + COS_2 * sum1i + COS_1 * sum2i;
        const odd1r = SIN_1 * dif1r + SIN_2 * dif2r;
        const odd1i = SIN_1 * dif1i + SIN_2 * dif2i;
        const odd2r = SIN_2 * dif1r - SIN_1 * dif2r;
        const odd2i = SIN_2 * dif1i - SIN_1 * dif2i;
        const to = q + 5 * s * k;
        yr[to] = x0 + sum1r + sum2r;
        yi[to] = y0 + sum1i + sum2i;
        turn(yr, yi, to + s, even1r + odd1i, even1i - odd1r, cosine[k * s]!, sine[k * s]!);
        turn(yr, yi, to + 2 * s, even2r + odd2i, even2i - odd2r, cosine[2 * k * s]!, sine[2 * k * s]!);
        turn(yr, yi, to + 3 * s, even2r - odd2i, even2i + odd2r, cosine[3 * k * s]!, sine[3 * k * s]!);
        turn(yr, yi, to + 4 * s, even1r - odd1i, even1i + odd1r, cosine[4 * k * s]!, sine[4 * k * s]!);
      }
    }
  }

  private pass(
    radix: number,
    s: number,
    xr: Float64Array,
    xi: Float64Array,
    yr: Float64Array,
    yi: Float64Array,
  ): void {
    const { size, cosine, sine } = this;
    const m = size / s / radix;
    const step = s * m;
    const turn = size / radix;
    for (let k = 0; k < m; k++) {
      for (let r = 0; r < radix; r++) {
        const wr = cosine[k * r * s]!;
        const wi = sine[k * r * s]!;
        for (let q = 0; q < s; q++) {
          let at = q + s * k;
          let sumRe = xr[at]!;
          let sumIm = xi[at]!;
          for (let j = 1, w = 0; j < radix; j++) {
            at += step;
            w += r * turn;
            if (w >= size) w -= size;
            const c = cosine[w]!;
            const d = sine[w]!;
            sumRe += xr[at]! * c - xi[at]! * d;
            sumIm += xr[at]! * d + xi[at]! * c;
          }
          const to = q + s * (radix * k + r);
          yr[to] = sumRe * wr - sumIm * wi;
          yi[to] = sumRe * wi + sumIm * wr;
        }
      }
    }
  }
}

const COS_1 = Math.cos((2 * Math.PI) / 5);
const COS_2 = Math.cos((4 * Math.PI) / 5);
const SIN_1 = Math.sin((2 * Math.PI) / 5);
const SIN_2 = Math.sin((4 * Math.PI) / 5);

/** Writes (re + j im)(c + j s). */
function turn(
  yr: Float64Array,
  yi: Float64Array,
  at: number,
  re: number,
  im: number,
  c: number,
  s: number,
): void {
  yr[at] = re * c - im * s;
  yi[at] = re * s + im * c;
}

function factorise(size: number): number[] {
  const factors: number[] = [];
  let rest = size;
  for (const factor of [4, 2, 3, 5, 7]) {
    while (rest % factor === 0 && rest > 1) {
      factors.push(factor);
      rest /= factor;
    }
  }
  if (rest !== 1) throw new Error(`a transform of size ${size}: its prime factors must be 7 or less`);
  return factors;
}
