import { decodeClips } from '../decode/decode.ts';
import type { EncoderInput } from '../features/form.ts';
import type { EncoderModel } from '../models/model-folder.ts';
import type { TextTokenizer } from '../tokenizer/text-tokenizer.ts';
import { clipOf } from './clip-windows.ts';
import type { DecodeSettings } from './extract-options.ts';
import type { PlannedRow } from './plan.ts';

/** An utterance of a sample with what the encoder is given. */
export interface SampledRow {
  readonly row: PlannedRow;
  readonly input: EncoderInput;
}

/** `count` of the items, spread evenly over them, the middle of each stretch. Pure. */
export function spread<T>(items: readonly T[], count: number): T[] {
  const taken = Math.min(count, items.length);
  return Array.from({ length: taken }, (_, i) => items[Math.floor(((i + 0.5) * items.length) / taken)] as T);
}

/** Decodes or tokenises rows; what cannot be decoded is left out. */
export async function prepareRows(
  model: EncoderModel,
  rows: readonly PlannedRow[],
  root: string,
  decode: DecodeSettings,
): Promise<SampledRow[]> {
  if (model.form.sampleRate === null) {
    const tokenizer = model.tokenizer as TextTokenizer;
    return rows.map((row) => ({ row, input: tokenizer.encode(row.utterance.text).ids }));
  }
  const there = rows.flatMap((row) => {
    const clip = clipOf(row.utterance, root);
    return clip === undefined ? [] : [{ row, clip }];
  });
  const decoded = await decodeClips(
    there.map(({ clip }) => clip),
    { ...decode, sampleRate: model.form.sampleRate },
  );
  return there.flatMap(({ row }, i) => {
    const result = decoded[i];
    return result !== undefined && 'samples' in result ? [{ row, input: result.samples }] : [];
  });
}
