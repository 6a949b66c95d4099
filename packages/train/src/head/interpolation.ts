/** Times of a feature's steps: step i is centred at `firstSeconds + i * stepSeconds` (feature.json states both). */
export interface StepTimes {
  readonly firstSeconds: number;
  readonly stepSeconds: number;
}

/**
 * Where each audio frame falls on the steps of the utterance's own spectrogram map (Eq. 2, `audio.alexnet` time):
 * frame i, centred at `audio.firstSeconds + i * audio.stepSeconds`, lies at the fractional step
 * `(its time - map.firstSeconds) / map.stepSeconds`, held at the first and the last real step.
 * @param frames real frames of the utterance (frames of the padding may have any position: they are masked)
 * @param steps real steps of the utterance's map, at least 1
 * @param out filled in place where given, for instance one row of the batch's `mapPosition`
 * @returns [frames] positions in 0..steps-1
 */
export function mapPositions(
  frames: number,
  steps: number,
  audio: StepTimes,
  map: StepTimes,
  out: Float32Array = new Float32Array(frames),
): Float32Array {
  if (steps < 1) throw new RangeError(`mapPositions: found ${steps} map steps, expected at least 1`);
  for (let i = 0; i < frames; i++) {
    const seconds = audio.firstSeconds + i * audio.stepSeconds;
    const position = (seconds - map.firstSeconds) / map.stepSeconds;
    out[i] = Math.min(Math.max(position, 0), steps - 1);
  }
  return out;
}

/** Rows and columns that AlexNet's adaptive average pooling leaves. */
export const POOLED = 6;

/**
 * Adaptive average pooling as a matrix: bin i averages the steps from floor(i * steps / bins) up to, but not
 * including, ceil((i + 1) * steps / bins), the rule of PyTorch's AdaptiveAvgPool (bins overlap, and repeat a
 * step where there are fewer steps than bins).
 * @param steps real steps, at least 1
 * @param width columns of the matrix, at least `steps`; those of the padding stay 0
 * @returns [bins, width], row-major
 */
export function adaptivePoolWeights(bins: number, steps: number, width: number = steps): Float32Array {
  if (steps < 1 || steps > width)
    throw new RangeError(`adaptivePoolWeights: found ${steps} steps, expected 1 to ${width}`);
  const out = new Float32Array(bins * width);
  for (let i = 0; i < bins; i++) {
    const start = Math.floor((i * steps) / bins);
    const end = Math.ceil(((i + 1) * steps) / bins);
    out.fill(1 / (end - start), i * width + start, i * width + end);
  }
  return out;
}

/**
 * The input `mapPool` of one row (Eq. 2, `audio.alexnet` broadcast): pools the utterance's own map steps to six.
 * @param steps real steps of the utterance's map
 * @param width S, steps of the padded batch
 * @returns [6, S]
 */
export function mapPoolWeights(steps: number, width: number): Float32Array {
  return adaptivePoolWeights(POOLED, steps, width);
}
