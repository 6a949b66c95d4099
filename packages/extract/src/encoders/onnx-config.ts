import { z } from 'zod';
import { HIGHEST_RATE, LOWEST_RATE, SAMPLE_RATE } from '../decode/policy.ts';

const size = z.number().int().positive();
const name = z.string().min(1);
/** In Hz: recordings are resampled to it. */
const rate = z.number().int().min(LOWEST_RATE).max(HIGHEST_RATE);

/** A waveform, [batch, samples] (or [batch, 1, samples], where the graph has three axes). */
const Waveform = z.strictObject({
  kind: z.literal('waveform'),
  rate: rate.default(SAMPLE_RATE),
  /** Brought to mean 0 and variance 1 over the clip. */
  normalise: z.boolean().default(false),
  /** Shorter clips are padded with zeros to so many samples. */
  least: size.default(400),
});

/** A mel spectrogram in Slaney's convention, scale and norm, of power spectra of a centred, zero-padded Hamming window. */
const LogMel = z
  .strictObject({
    kind: z.literal('log-mel'),
    /** Of the sound that it is made of; 16 kHz unless given, and left out then, as it was before there was a choice. */
    rate: rate.optional(),
    bands: size,
    window: size,
    hop: size,
    fftSize: size,
    lowest: z.number().nonnegative().default(0),
    /** In Hz; half the rate unless given. */
    highest: z.number().positive().optional(),
    preEmphasis: z.number().min(0).max(1).default(0),
    /** `ln`, `log10`: of the power or of `floor`; `unit`: dB below the clip's maximum, -80 to 0, mapped to 0..1. */
    log: z.enum(['ln', 'log10', 'unit']),
    floor: z.number().positive().default(1e-10),
    /** [batch, frames, bands] or [batch, bands, frames]; the lowest band first. */
    layout: z.enum(['frames', 'bands']).default('frames'),
    least: size.default(400),
  })
  .refine(({ rate: hertz = SAMPLE_RATE, highest = 0 }) => highest <= hertz / 2, {
    path: ['highest'],
    error: 'above half the rate, beyond which there is no sound',
  })
  .transform((input) => ({ ...input, highest: input.highest ?? (input.rate ?? SAMPLE_RATE) / 2 }));

const Tokens = z.strictObject({ kind: z.literal('tokens'), maxTokens: size });

/** What a graph's input is given: the input itself, ones of its length, zeros, or an output of an earlier graph. */
const Source = z.string().min(1);

/**
 * Any encoder that is an ONNX graph, or a chain of them, described by a small JSON file beside it:
 * what goes in, which output is the feature, and when its frames are.
 */
export const OnnxConfig = z.strictObject({
  model_type: z.literal('onnx'),
  input: z.discriminatedUnion('kind', [Waveform, LogMel, Tokens]),
  models: z.array(z.strictObject({ file: name, inputs: z.record(name, Source) })).min(1),
  output: name,
  /** The output is [batch, steps, dim] or [batch, dim, steps]. */
  layout: z.enum(['steps', 'dim']).default('steps'),
  dim: size,
  /** Audio. */
  framesPerSecond: z.number().positive().optional(),
  /** Centre of the first frame in seconds; half a frame unless given. */
  firstSeconds: z.number().nonnegative().optional(),
});
export type OnnxConfig = z.infer<typeof OnnxConfig>;
export type OnnxInput = OnnxConfig['input'];

/** Rate of the sound that an encoder is fed with, in Hz. */
export function inputRate(input: Exclude<OnnxInput, { kind: 'tokens' }>): number {
  return input.rate ?? SAMPLE_RATE;
}
