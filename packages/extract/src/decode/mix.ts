import { type ChannelPolicy, ClipError } from './policy.ts';

/** Bit of the centre channel in a WAVE channel mask (SPEAKER_FRONT_CENTER). */
const FRONT_CENTER = 0x4;

/**
 * One channel from interleaved ones.
 *
 * @param samples [n, channels]
 * @param mask speaker positions in the order of the channels (WAVEFORMATEXTENSIBLE); 0 when not known
 * @returns [n], or undefined where only ffmpeg knows how: a downmix of more than two channels
 */
export function mixToMono(
  samples: Float32Array,
  channels: number,
  policy: ChannelPolicy,
  mask = 0,
): Float32Array | undefined {
  if (channels === 1) return samples;
  if (policy === 'downmix' && channels > 2) return undefined;
  const centre = policy === 'center' ? centreIndex(mask, channels) : undefined;
  const mono = new Float32Array(Math.floor(samples.length / channels));
  for (let i = 0; i < mono.length; i++) {
    if (centre !== undefined) {
      mono[i] = samples[i * channels + centre] as number;
      continue;
    }
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += samples[i * channels + channel] as number;
    mono[i] = sum / channels;
  }
  return mono;
}

/**
 * One channel of interleaved ones.
 *
 * @param samples [n, channels]
 * @returns [n]
 * @throws ClipError where there is no such channel
 */
export function pickChannel(samples: Float32Array, channels: number, channel: number): Float32Array {
  if (channel >= channels) throw new ClipError(`no channel ${channel}: the recording has ${channels}`);
  if (channels === 1) return samples;
  const mono = new Float32Array(Math.floor(samples.length / channels));
  for (let i = 0; i < mono.length; i++) mono[i] = samples[i * channels + channel] as number;
  return mono;
}

/** Channels lie in the order of their bits, so the centre comes after those of the lower bits that are set. */
function centreIndex(mask: number, channels: number): number | undefined {
  if ((mask & FRONT_CENTER) === 0) return undefined;
  const index = (mask & 1) + ((mask >> 1) & 1);
  return index < channels ? index : undefined;
}
