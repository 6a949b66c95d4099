import { type Session, createSession, modelBytes } from '@lsgmer/onnx';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SpeechConfig, speechField, speechFrames } from '../../src/encoders/speech-config.ts';
import { buildSpeechEncoder } from '../../src/encoders/speech-encoder.ts';
import { golden, largestError } from '../support.ts';
import { goldenWeights } from './seeded.ts';

interface Kind {
  readonly config: SpeechConfig;
  readonly alone: { samples: number; frames: number; hidden: number[] }[];
  readonly ragged: { samples: number[]; frames: number[]; hidden: number[][] };
}

const { seed, kinds } = golden('encoders/wavlm.json') as {
  seed: number;
  kinds: Record<'layer' | 'group', Kind>;
};
const weights = goldenWeights(seed);
const waveform = (samples: number): Float32Array => weights.tensor(`input.${samples}`, [samples]);

/** Runs clips as one batch; each is followed by `padding` where it is shorter than the longest. */
async function run(
  session: Session,
  clips: readonly Float32Array[],
  padding = 0,
): Promise<{ data: Float32Array; frames: number }> {
  const longest = Math.max(...clips.map((clip) => clip.length));
  const values = new Float32Array(clips.length * longest).fill(padding);
  const mask = new BigInt64Array(values.length);
  clips.forEach((clip, i) => {
    values.set(clip, i * longest);
    mask.fill(1n, i * longest, i * longest + clip.length);
  });
  const shape = [clips.length, longest];
  const { last_hidden_state: out } = await session.run({
    input_values: { data: values, shape },
    attention_mask: { data: mask, shape },
  });
  return { data: out?.data as Float32Array, frames: out?.shape[1] as number };
}

describe.each(['layer', 'group'] as const)('buildSpeechEncoder with %s norm', (name) => {
  const kind = kinds[name];
  const width = kind.config.hidden_size;
  let session: Session;
  beforeAll(async () => {
    session = await createSession(modelBytes(buildSpeechEncoder(kind.config, weights)), {
      device: 'cpu',
      threads: 1,
    });
  });
  afterAll(() => session.release());

  it.each(kind.alone)(
    "gives Hugging Face's hidden states for $samples samples",
    async ({ samples, frames, hidden }) => {
      const out = await run(session, [waveform(samples)]);
      expect(out.frames).toBe(frames);
      expect(speechFrames(kind.config, samples)).toBe(frames);
      expect(largestError(out.data, hidden)).toBeLessThan(2e-5);
    },
  );

  it("gives Hugging Face's hidden states for a ragged batch with its mask", async () => {
    const { samples, frames, hidden } = kind.ragged;
    const out = await run(session, samples.map(waveform));
    samples.forEach((_, i) => {
      const from = i * out.frames * width;
      const found = out.data.subarray(from, from + (frames[i] as number) * width);
      expect(largestError(found, hidden[i] ?? [])).toBeLessThan(2e-5);
    });
  });

  it('gives a batch of equal lengths what each clip gets alone', async () => {
    const clips = [waveform(16_000), waveform(9000), waveform(5000)].map((clip) => clip.slice(0, 5000));
    const together = await run(session, clips);
    for (const [i, clip] of clips.entries()) {
      const alone = await run(session, [clip]);
      const from = i * together.frames * width;
      expect(largestError(together.data.subarray(from, from + alone.data.length), alone.data)).toBeLessThan(
        1e-6,
      );
    }
  });
});

describe('layer norm models', () => {
  it('ignore what the padding holds, and samples past the last full frame', async () => {
    const { config } = kinds.layer;
    const session = await createSession(modelBytes(buildSpeechEncoder(config, weights)), {
      device: 'cpu',
      threads: 1,
    });
    const clips = [waveform(9000), waveform(719)];
    const zeros = await run(session, clips);
    const junk = await run(session, clips, 7);
    expect(largestError(junk.data.subarray(0, 27 * 16), zeros.data.subarray(0, 27 * 16))).toBe(0);
    const short = zeros.frames * 16;
    expect(largestError(junk.data.subarray(short, short + 16), zeros.data.subarray(short, short + 16))).toBe(
      0,
    );

    const whole = await run(session, [waveform(719)]);
    const cut = await run(session, [waveform(719).slice(0, 400)]);
    expect(largestError(cut.data, whole.data)).toBe(0);
    await session.release();
  });
});

describe('speechFrames', () => {
  it('counts as seven convolutions do', () => {
    const lengths = [399, 400, 719, 720, 16_000, 33_333, 48_000];
    expect(lengths.map((samples) => speechFrames(kinds.layer.config, samples))).toEqual([
      0, 1, 1, 2, 49, 103, 149,
    ]);
    expect(speechField(kinds.layer.config)).toEqual({ field: 400, stride: 320 });
  });
});
