/** Reproducible values in [-1, 1): each call goes on where the last one ended. */
export function noiseFrom(seed: number): (count: number) => Float32Array {
  let state = seed;
  return (count) =>
    Float32Array.from(
      { length: count },
      () => ((state = (state * 48_271) % 2_147_483_647) / 2_147_483_647 - 0.5) * 2,
    );
}
