import { Rng } from '@lsgmer/datasets';
import { UMAP } from 'umap-js';

/** Most points that are projected: one fold of the corpora that this is for has fewer. */
export const MOST_POINTS = 3000;
const NEIGHBOURS = 15;
const MIN_DISTANCE = 0.1;

/** Settings as they stand under the figure. */
export const PROJECTION_SETTINGS = `UMAP, ${NEIGHBOURS} neighbours, minimum distance ${MIN_DISTANCE}, Euclidean`;

/**
 * UMAP of vectors (McInnes et al. 2018) into the plane. The same vectors and seed give the same points.
 * @param vectors [n][d], at least 4
 * @returns [n][2]
 */
export function project(vectors: readonly Float32Array[], seed: number): [number, number][] {
  const rng = Rng.for('projection', seed);
  const umap = new UMAP({
    nComponents: 2,
    nNeighbors: Math.min(NEIGHBOURS, vectors.length - 1),
    minDist: MIN_DISTANCE,
    random: () => rng.uniform(),
  });
  return umap.fit(vectors.map((vector) => [...vector])) as [number, number][];
}

/** Indices of at most `most` items, drawn with a seed and in their old order. */
export function sample(n: number, most: number, seed: number): number[] {
  const all = Array.from({ length: n }, (_, i) => i);
  if (n <= most) return all;
  return Rng.for('projection sample', seed)
    .shuffle(all)
    .slice(0, most)
    .sort((a, b) => a - b);
}

/**
 * Mean silhouette of labelled vectors (Rousseeuw 1987), Euclidean, in their own space: what the picture suggests, as a
 * number that no projection made. NaN for fewer than two classes.
 */
export function silhouette(vectors: readonly Float32Array[], labels: readonly number[]): number {
  const classes = Math.max(...labels) + 1;
  const n = vectors.length;
  const sizes = Array.from({ length: classes }, (_, k) => labels.filter((label) => label === k).length);
  if (sizes.filter((size) => size > 0).length < 2) return NaN;
  // [n, classes]: distances to the members of each class
  const sums = new Float64Array(n * classes);
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      const distance = euclidean(vectors[i] as Float32Array, vectors[j] as Float32Array);
      const [a, b] = [i * classes + (labels[j] as number), j * classes + (labels[i] as number)];
      sums[a] = (sums[a] as number) + distance;
      sums[b] = (sums[b] as number) + distance;
    }
  }
  let total = 0;
  for (let i = 0; i < n; i++) {
    const own = labels[i] as number;
    // alone in its class: 0 by definition
    if (sizes[own] === 1) continue;
    const inside = (sums[i * classes + own] as number) / ((sizes[own] as number) - 1);
    let outside = Infinity;
    for (let k = 0; k < classes; k++) {
      if (k === own || sizes[k] === 0) continue;
      outside = Math.min(outside, (sums[i * classes + k] as number) / (sizes[k] as number));
    }
    const longer = Math.max(inside, outside);
    total += longer === 0 ? 0 : (outside - inside) / longer;
  }
  return total / n;
}

function euclidean(a: Float32Array, b: Float32Array): number {
  let squared = 0;
  for (let k = 0; k < a.length; k++) squared += ((a[k] as number) - (b[k] as number)) ** 2;
  return Math.sqrt(squared);
}
