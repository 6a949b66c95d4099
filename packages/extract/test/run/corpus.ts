import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Rng, type Utterance, sha256Hex } from '@lsgmer/datasets';
import { pcm16, wavBytes } from '../decode/wav-bytes.ts';

const TEXTS = [
  'so glad to see you',
  'no',
  'oh, what a day it was',
  'I never said that 😀',
  '',
  'so glad to see you',
];

/** A sound of that many samples, different for each name. */
export function sound(name: string, samples: number): Buffer {
  const rng = Rng.for('sound', name);
  const step = 0.02 + 0.1 * rng.uniform();
  return pcm16(
    Array.from({ length: samples }, (_, i) => Math.round(7000 * Math.sin(i * step) + 500 * rng.normal())),
  );
}

export function utterance(id: string, changes: Partial<Utterance> = {}): Utterance {
  return {
    id,
    dataset: 'toy',
    split: null,
    session: null,
    dialogue: null,
    turn: null,
    speaker: null,
    rawLabel: null,
    annotations: [],
    text: '',
    rawText: '',
    textSource: 'corpus',
    media: null,
    tags: {},
    ...changes,
  };
}

/** Writes one 16 kHz WAV per length (in samples) and describes them as a manifest does. */
export function makeCorpus(root: string, lengths: readonly number[]): Utterance[] {
  mkdirSync(join(root, 'wav'), { recursive: true });
  return lengths.map((samples, i) => {
    const name = `u${String(i).padStart(3, '0')}`;
    const bytes = wavBytes(sound(name, samples), { bits: 16 });
    writeFileSync(join(root, 'wav', `${name}.wav`), bytes);
    return utterance(`toy/${name}`, {
      split: i % 4 === 3 ? 'test' : 'train',
      text: TEXTS[i % TEXTS.length] as string,
      media: {
        path: `wav/${name}.wav`,
        sha256: sha256Hex(bytes),
        seconds: samples / 16_000,
        sampleRate: 16_000,
        channels: 1,
      },
    });
  });
}

/** The utterance as a manifest describes it whose recording has these bytes. */
export function recorded(root: string, row: Utterance, bytes: Buffer): Utterance {
  if (row.media === null) throw new Error(`${row.id} has no recording`);
  writeFileSync(join(root, row.media.path), bytes);
  return { ...row, media: { ...row.media, sha256: sha256Hex(bytes) } };
}
