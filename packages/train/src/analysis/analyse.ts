import type { Assembler } from '../batches/assemble.ts';
import type { MicroBatch } from '../batches/epoch.ts';
import type { Joined } from '../batches/source.ts';
import { NO_PREDICTION } from '../evaluate/metrics.ts';
import type { Prediction } from '../evaluate/predict.ts';
import type { Engine } from '../head/contract.ts';
import type { AnalysisRow } from './analysis-file.ts';
import { noRelative, type Relative, relative } from './relative.ts';

/**
 * Looks into a head at every utterance of a pass, with the engine's present parameters: one forward pass that also
 * computes what training never forms (attention weights by step).
 * @param predictions what the head said of them
 * @returns in the order of `joined`
 */
export async function analyse(
  engine: Engine,
  assembler: Assembler,
  pass: readonly MicroBatch[],
  joined: Joined,
  fold: string,
  predictions: readonly Prediction[],
): Promise<AnalysisRow[]> {
  const said = new Map(predictions.map((one) => [one.id, one.prediction]));
  const found: [item: number, row: AnalysisRow][] = [];
  for (const micro of pass) {
    const batch = await assembler.assemble(micro, { rows: micro.items.length, firstRow: 0 });
    const { extra } = await engine.forward(batch, true);
    const { shape } = batch;
    micro.items.forEach((item, r) => {
      const { id, label } = joined.rows[item] as Joined['rows'][number];
      const lengths = joined.lengths[item] as Joined['lengths'][number];
      const reads = { tokens: batch.feeds['textMask'], frames: batch.feeds['audioMask'] };
      const tokens = reads.tokens === undefined ? 0 : lengths.text;
      const frames = reads.frames === undefined ? 0 : lengths.audio;
      const part = (name: string): Float32Array => rowOf(extra[name], r, shape.rows);
      const seen = (name: string, width: number, steps: number): Relative =>
        extra[name] === undefined ? noRelative : relative(part(name), width, steps);
      found.push([
        item,
        {
          id,
          fold,
          label,
          prediction: said.get(id) ?? NO_PREDICTION,
          tokens,
          frames,
          fused: part('fused').slice(),
          gate: part('gate').slice(),
          textLabel: seen('attention.text', shape.text, tokens),
          audioLabel: seen('attention.audio', shape.audio, frames),
          textCross: seen('cross.text', shape.text, tokens),
          audioCross: seen('cross.audio', shape.audio, frames),
        },
      ]);
    });
    assembler.release(batch);
  }
  return found.sort(([a], [b]) => a - b).map(([, row]) => row);
}

/** One row's values of a batch's tensor; none where the head has no such tensor. */
function rowOf(values: Float32Array | undefined, row: number, rows: number): Float32Array {
  if (values === undefined) return new Float32Array(0);
  const width = values.length / rows;
  return values.subarray(row * width, (row + 1) * width);
}
