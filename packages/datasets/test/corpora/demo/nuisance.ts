import type { DemoTurn } from '../../../src/corpora/demo/plan.ts';
import { SAMPLE_RATE } from '../../../src/corpora/demo/voice.ts';

/**
 * What may not tell of the label, measured on the recording and the text and not taken from the plan: length, level,
 * noise, silence, speaking rate, pitch, length of the text; then the place in the dialogue and the speaker.
 */
export function nuisances(samples: Float32Array, turn: DemoTurn, place: number): number[] {
  const frames = energies(samples);
  const sorted = [...frames].sort((a, b) => a - b);
  const noise = sorted[Math.floor(sorted.length * 0.05)] as number;
  const level = decibels(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
  const silent = frames.filter((value) => value < noise + 10).length / frames.length;
  const seconds = samples.length / SAMPLE_RATE;
  const words = turn.text.split(' ').length;
  const woman = turn.name.at(-4) === 'F' ? 1 : 0;
  return [
    seconds,
    level,
    noise,
    silent,
    bursts(frames) / seconds,
    pitch(samples),
    words,
    turn.text.length,
    place,
    woman,
  ];
}

const FRAME = 160;

function decibels(power: number): number {
  return 10 * Math.log10(power + 1e-12);
}

/** Level of each 10 ms, in dB. */
function energies(samples: Float32Array): number[] {
  const count = Math.floor(samples.length / FRAME);
  return Array.from({ length: count }, (_, i) => {
    let sum = 0;
    for (let j = i * FRAME; j < (i + 1) * FRAME; j++) sum += (samples[j] as number) ** 2;
    return decibels(sum / FRAME);
  });
}

/** Syllables: rises of the smoothed level above its mean. */
function bursts(frames: readonly number[]): number {
  const smooth = frames.map((_, i) => {
    const near = frames.slice(Math.max(0, i - 2), i + 3);
    return near.reduce((a, b) => a + b, 0) / near.length;
  });
  const middle = smooth.reduce((a, b) => a + b, 0) / smooth.length;
  return smooth.filter((value, i) => value >= middle && (smooth[i - 1] ?? -Infinity) < middle).length;
}

/** Median pitch in Hz of the half of the pieces (at 8 kHz) whose best autocorrelation lag from 70 to 320 Hz is surest. */
function pitch(samples: Float32Array): number {
  const half = Float32Array.from({ length: samples.length >> 1 }, (_, i) => {
    return (samples[2 * i] as number) + (samples[2 * i + 1] as number);
  });
  const pieces: { likeness: number; hertz: number }[] = [];
  for (let at = 0; at + 512 <= half.length; at += 768) {
    let piece = { likeness: 0, hertz: 0 };
    for (let k = 25; k <= 114; k++) {
      let [product, a, b] = [0, 1e-9, 1e-9];
      for (let i = at; i < at + 320; i++) {
        const [x, y] = [half[i] as number, half[i + k] as number];
        product += x * y;
        a += x * x;
        b += y * y;
      }
      const likeness = product / Math.sqrt(a * b);
      if (likeness > piece.likeness * 1.02) piece = { likeness, hertz: 8000 / k };
    }
    pieces.push(piece);
  }
  const surest = pieces.sort((a, b) => b.likeness - a.likeness).slice(0, (pieces.length + 1) >> 1);
  return surest.map((piece) => piece.hertz).sort((a, b) => a - b)[surest.length >> 1] ?? 0;
}

/** Softmax regression by gradient descent on standardised measures; predicts the rows of `test`. */
export function classify(
  measures: readonly (readonly number[])[],
  labels: readonly number[],
  train: readonly number[],
  test: readonly number[],
): number[] {
  const width = measures[0]?.length ?? 0;
  const classes = Math.max(...labels) + 1;
  const mean = Array.from({ length: width }, (_, j) => average(train.map((i) => measures[i]?.[j] as number)));
  const spread = mean.map(
    (m, j) => Math.sqrt(average(train.map((i) => ((measures[i]?.[j] as number) - m) ** 2))) || 1,
  );
  const scaled = measures.map((row) => [
    1,
    ...row.map((value, j) => (value - (mean[j] as number)) / (spread[j] as number)),
  ]);
  const weights = Array.from({ length: classes }, () => new Float64Array(width + 1));
  const scores = (row: readonly number[]) =>
    weights.map((w) => row.reduce((sum, value, j) => sum + value * (w[j] as number), 0));
  for (let step = 0; step < 300; step++) {
    const gradient = weights.map(() => new Float64Array(width + 1));
    for (const i of train) {
      const row = scaled[i] as number[];
      const raw = scores(row);
      const top = Math.max(...raw);
      const exp = raw.map((value) => Math.exp(value - top));
      const total = exp.reduce((a, b) => a + b, 0);
      exp.forEach((value, c) => {
        const error = value / total - (labels[i] === c ? 1 : 0);
        row.forEach(
          (x, j) =>
            ((gradient[c] as Float64Array)[j] = ((gradient[c] as Float64Array)[j] as number) + error * x),
        );
      });
    }
    weights.forEach((w, c) =>
      w.forEach(
        (value, j) => (w[j] = value - (((gradient[c] as Float64Array)[j] as number) * 1) / train.length),
      ),
    );
  }
  return test.map((i) => {
    const raw = scores(scaled[i] as number[]);
    return raw.indexOf(Math.max(...raw));
  });
}

function average(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
