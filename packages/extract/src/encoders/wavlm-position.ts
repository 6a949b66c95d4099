import type { Layers } from './layers.ts';
import type { WavlmConfig } from './speech-config.ts';

/**
 * Bucket of a distance between two frames, before the sign is added: exact up to a quarter of the buckets, then
 * logarithmic up to `maxDistance` and beyond. In float32 as torch computes it, so that distances on the border
 * between two buckets fall on the same side.
 */
export function distanceBucket(distance: number, buckets: number, maxDistance: number): number {
  const half = buckets / 2;
  const exact = Math.floor(half / 2);
  if (distance < exact) return distance;
  const f = Math.fround;
  const ratio = f(f(Math.log(f(distance / exact))) / f(Math.log(maxDistance / exact)));
  return Math.min(half - 1, Math.trunc(f(exact + f(ratio * (half - exact)))));
}

/**
 * The learned bias of each pair of frames by their distance, shared by all layers.
 * @param count int64 scalar: frames m
 * @param parts in which the heads are attended to
 * @returns for each part, [1, heads / parts, m, m]; row i, column j holds the bias of j seen from i
 */
export function relativePositionBias(
  layers: Layers,
  config: WavlmConfig,
  count: string,
  parts: number,
): string[] {
  const g = layers.graph;
  const { num_buckets: buckets, max_bucket_distance: farthest, num_attention_heads: heads } = config;
  const number = (value: number): string => g.scalar(value, 'int64');
  const table = Array.from({ length: farthest + 1 }, (_, d) => distanceBucket(d, buckets, farthest));
  const bucketOf = g.constant('int64', [table.length], table);

  // One value for each distance, in the order 0 .. m-1, -m .. -1: place j - i modulo 2 m holds the bias of j seen from i.
  const span = g.op('Mul', [count, number(2)]);
  const places = g.op('Range', [number(0), span, number(1)]); // [2 m]
  const before = g.op('Cast', [g.op('GreaterOrEqual', [places, count])], { to: 7 });
  const distances = g.op('Sub', [places, g.op('Mul', [before, span])]);
  const far = g.op('Min', [g.op('Abs', [distances]), number(farthest)]);
  const later = g.op('Cast', [g.op('Greater', [distances, number(0)])], { to: 7 });
  const bucket = g.op('Add', [g.op('Gather', [bucketOf, far]), g.op('Mul', [later, number(buckets / 2)])]);
  const embedding = layers.parameter('encoder.layers.0.attention.rel_attn_embed.weight', [buckets, heads]);
  const byDistance = g.op('Transpose', [g.op('Gather', [embedding, bucket])], { perm: [1, 0] }); // [heads, 2 m]

  // m copies behind each other, cut into rows of 2 m - 1: each row begins one place earlier than the one above it. Some heads
  // at a time, since the copies are twice as large as what is wanted.
  const list = (value: string): string => g.op('Unsqueeze', [value, g.int64([0])]);
  const width = g.op('Sub', [span, number(1)]);
  const shape = (...sizes: string[]): string =>
    g.op('Concat', [g.int64([heads / parts]), ...sizes.map(list)], { axis: 0 });
  const [copied, cut] = [shape(count, span), shape(count, width)];
  const end = list(g.op('Mul', [count, width]));
  return g.opN('Split', [byDistance], { axis: 0 }, parts).map((values) => {
    const copies = g.op('Expand', [g.op('Unsqueeze', [values, g.int64([1])]), copied]);
    const line = g.op('Reshape', [copies, g.int64([heads / parts, -1])]);
    const rows = g.op('Reshape', [g.op('Slice', [line, g.int64([0]), end, g.int64([1])]), cut]);
    const matrix = g.op('Slice', [rows, g.int64([0]), list(count), g.int64([2])]); // [heads / parts, m, m]
    return g.op('Unsqueeze', [matrix, g.int64([0])]);
  });
}

/**
 * The gate that scales the position bias of each frame (Chi et al. 2022): two sigmoids of sums over four of the
 * eight outputs of a linear layer. The sums are taken over the weights instead, which is the same.
 *
 * @param x [rows, width]: what the layer's attention sees
 * @param split int64 [4]: batch, frames, heads, width of a head
 * @returns [B, heads, m, 1]
 */
export function positionGate(
  layers: Layers,
  config: WavlmConfig,
  name: string,
  x: string,
  split: string,
): string {
  const g = layers.graph;
  const { num_attention_heads: heads, hidden_size } = config;
  const width = hidden_size / heads;
  const linear = `${name}.gru_rel_pos_linear`;
  const [weight, bias] = (
    [
      ['weight', [8, width]],
      ['bias', [8]],
    ] as const
  ).map(([part, shape]) =>
    layers.derived({
      name: `${linear}.${part}.summed`,
      shape: [2, ...shape.slice(1)],
      sources: [{ name: `${linear}.${part}`, shape }],
      make: ([values]) => sumFours(values as Float32Array, part === 'weight' ? width : 1),
    }),
  ) as [string, string];
  const perHead = g.op('Reshape', [x, g.int64([-1, width])]); // [B m heads, d]
  const gates = g.op('Gemm', [perHead, weight, bias], { transB: 1 });
  const shape = g.op('Concat', [g.op('Slice', [split, g.int64([0]), g.int64([3])]), g.int64([2])], {
    axis: 0,
  });
  const placed = g.op('Transpose', [g.op('Reshape', [g.op('Sigmoid', [gates]), shape])], {
    perm: [0, 2, 1, 3],
  });
  const [a, b] = g.opN('Split', [placed], { axis: -1 }, 2) as [string, string]; // [B, heads, m, 1] each
  const constant = layers.parameter(`${name}.gru_rel_pos_const`, [1, heads, 1, 1]);
  const inner = g.op('Sub', [g.op('Mul', [b, constant]), g.scalar(1)]);
  return g.op('Add', [g.op('Mul', [a, inner]), g.scalar(2)]);
}

/** [8, width] -> [2, width] */
function sumFours(values: Float32Array, width: number): Float32Array {
  const sums = new Float32Array(2 * width);
  for (let row = 0; row < 8; row++) {
    for (let i = 0; i < width; i++) {
      const at = Math.floor(row / 4) * width + i;
      sums[at] = (sums[at] as number) + (values[row * width + i] as number);
    }
  }
  return sums;
}
