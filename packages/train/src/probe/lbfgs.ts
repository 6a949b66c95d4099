/** A smooth function: writes its gradient at `x`, returns its value. */
export type Objective = (x: Float64Array, gradient: Float64Array) => number;

export interface Minimum {
  readonly x: Float64Array;
  readonly value: number;
  readonly iterations: number;
  /** The largest component of the gradient is within the tolerance. */
  readonly converged: boolean;
}

const MEMORY = 10;
/** Constants of the strong Wolfe conditions. */
const DECREASE = 1e-4;
const CURVATURE = 0.9;
const MOST_TRIALS = 40;

/**
 * Limited-memory BFGS (Liu and Nocedal 1989; Nocedal and Wright, Numerical Optimization, algorithms 7.4 and 7.5) with
 * a bisecting line search for the Wolfe conditions. For convex functions such as penalised regressions.
 * @param tolerance ends when no component of the gradient is larger
 */
export function minimise(
  objective: Objective,
  start: Float64Array,
  { tolerance = 1e-6, iterations = 1000 }: { readonly tolerance?: number; readonly iterations?: number } = {},
): Minimum {
  const n = start.length;
  let x = start.slice();
  let gradient = new Float64Array(n);
  let value = objective(x, gradient);
  const steps: Float64Array[] = [];
  const changes: Float64Array[] = [];
  const direction = new Float64Array(n);
  for (let k = 0; k < iterations; k++) {
    if (largest(gradient) <= tolerance) return { x, value, iterations: k, converged: true };
    descend(gradient, steps, changes, direction);
    const next = search(objective, x, value, gradient, direction, k === 0 ? 1 / norm(gradient) : 1);
    // no further decrease in the last digits
    if (next === null) return { x, value, iterations: k, converged: false };
    const step = next.x.map((xi, i) => xi - (x[i] as number));
    const change = next.gradient.map((gi, i) => gi - (gradient[i] as number));
    if (dot(step, change) > 1e-12 * dot(change, change)) {
      steps.push(step);
      changes.push(change);
      if (steps.length > MEMORY) {
        steps.shift();
        changes.shift();
      }
    }
    ({ x, value, gradient } = next);
  }
  return { x, value, iterations, converged: largest(gradient) <= tolerance };
}

/** The two-loop recursion: direction = -H gradient, H from the last steps and changes of the gradient. */
function descend(
  gradient: Float64Array,
  steps: readonly Float64Array[],
  changes: readonly Float64Array[],
  direction: Float64Array,
): void {
  direction.set(gradient);
  const alphas = steps.map(() => 0);
  for (let i = steps.length - 1; i >= 0; i--) {
    const [s, y] = [steps[i] as Float64Array, changes[i] as Float64Array];
    const alpha = dot(s, direction) / dot(s, y);
    alphas[i] = alpha;
    add(direction, y, -alpha);
  }
  const last = steps.length - 1;
  if (last >= 0) {
    const [s, y] = [steps[last] as Float64Array, changes[last] as Float64Array];
    const scale = dot(s, y) / dot(y, y);
    for (let i = 0; i < direction.length; i++) direction[i] = (direction[i] as number) * scale;
  }
  for (const [i, s] of steps.entries()) {
    const y = changes[i] as Float64Array;
    add(direction, s, (alphas[i] as number) - dot(y, direction) / dot(s, y));
  }
  for (let i = 0; i < direction.length; i++) direction[i] = -(direction[i] as number);
}

interface Point {
  readonly x: Float64Array<ArrayBuffer>;
  readonly value: number;
  readonly gradient: Float64Array<ArrayBuffer>;
}

/** A point along the direction that meets the Wolfe conditions; null where the value cannot be decreased. */
function search(
  objective: Objective,
  x: Float64Array,
  value: number,
  gradient: Float64Array,
  direction: Float64Array,
  first: number,
): Point | null {
  const slope = dot(gradient, direction);
  let low = 0;
  let high = Infinity;
  let step = first;
  let best: Point | null = null;
  for (let trial = 0; trial < MOST_TRIALS; trial++) {
    const at = Float64Array.from(x, (xi, i) => xi + step * (direction[i] as number));
    const g = new Float64Array(x.length);
    const found = objective(at, g);
    if (!(found <= value + DECREASE * step * slope)) {
      high = step;
    } else {
      if (best === null || found < best.value) best = { x: at, value: found, gradient: g };
      if (dot(g, direction) >= CURVATURE * slope) return { x: at, value: found, gradient: g };
      low = step;
    }
    step = high === Infinity ? 2 * step : (low + high) / 2;
  }
  return best;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

function add(target: Float64Array, values: Float64Array, factor: number): void {
  for (let i = 0; i < target.length; i++) target[i] = (target[i] as number) + factor * (values[i] as number);
}

const norm = (values: Float64Array): number => Math.sqrt(dot(values, values));

function largest(values: Float64Array): number {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}
