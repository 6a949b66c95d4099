import { HeaderError } from './header-error.ts';

/** Rate and channels that a decoder gives for an AAC stream. */
export interface AacConfig {
  /** In Hz, spectral band replication included. */
  readonly sampleRate: number;
  readonly channels: number;
}

/** ISO/IEC 14496-3, table 1.18. */
const RATES = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];
/** ISO/IEC 14496-3, table 1.19; 0 says that a program config element tells, the others are reserved. */
const CHANNELS: Readonly<Record<number, number>> = {
  1: 1,
  2: 2,
  3: 3,
  4: 4,
  5: 5,
  6: 6,
  7: 8,
  11: 7,
  12: 8,
  13: 24,
  14: 8,
};
/** Object types of spectral band replication and of parametric stereo. */
const SBR = 5;
const PS = 29;
/** Object types whose configuration is a GASpecificConfig: AAC main, LC, SSR, LTP, scalable, TwinVQ and the ER kinds. */
const GENERAL_AUDIO = new Set([1, 2, 3, 4, 6, 7, 17, 19, 20, 21, 22, 23]);

/**
 * Reads an AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1). The channel count in the sample entry of an MP4 is 2 for
 * any AAC stream; this is where the true one stands.
 * @throws HeaderError where the configuration is damaged or of a reserved kind.
 */
export function readAacConfig(bytes: Uint8Array): AacConfig {
  const bits = new BitReader(bytes);
  let objectType = readObjectType(bits);
  let sampleRate = readRate(bits);
  const configuration = bits.read(4);
  let parametric = false;
  if (objectType === SBR || objectType === PS) {
    parametric = objectType === PS;
    sampleRate = readRate(bits);
    objectType = readObjectType(bits);
  }
  let channels = CHANNELS[configuration] ?? 0;
  if (GENERAL_AUDIO.has(objectType)) {
    const program = readGeneralAudio(bits, objectType, configuration);
    if (configuration === 0) channels = program;
    // the backward compatible way to signal both extensions: behind the configuration, after a sync word
    if (bits.left >= 16 && bits.read(11) === 0x2b7 && readObjectType(bits) === SBR && bits.read(1) === 1) {
      sampleRate = readRate(bits);
      if (bits.left >= 12 && bits.read(11) === 0x548) parametric = bits.read(1) === 1;
    }
  }
  if (channels === 0) throw new HeaderError(`an AAC configuration of reserved channels (${configuration})`);
  return { sampleRate, channels: parametric && channels === 1 ? 2 : channels };
}

function readObjectType(bits: BitReader): number {
  const type = bits.read(5);
  return type === 31 ? 32 + bits.read(6) : type;
}

function readRate(bits: BitReader): number {
  const index = bits.read(4);
  const rate = index === 15 ? bits.read(24) : RATES[index];
  if (rate === undefined || rate === 0)
    throw new HeaderError(`an AAC configuration of reserved rate (${index})`);
  return rate;
}

/** GASpecificConfig (4.4.1). @returns the channels of the program config element, 0 where there is none. */
function readGeneralAudio(bits: BitReader, objectType: number, configuration: number): number {
  bits.read(1); // frame length
  if (bits.read(1) === 1) bits.read(14); // delay of the core coder
  const extension = bits.read(1);
  const channels = configuration === 0 ? readProgram(bits) : 0;
  if (objectType === 6 || objectType === 20) bits.read(3); // layer
  if (extension === 1) {
    if (objectType === 22) bits.read(16); // sub-frames
    if ([17, 19, 20, 23].includes(objectType)) bits.read(3); // resilience
    bits.read(1);
  }
  return channels;
}

/** program_config_element (4.4.1.1): counts the channels of all its elements. */
function readProgram(bits: BitReader): number {
  bits.read(4 + 2 + 4); // tag, profile, rate
  const elements = bits.read(4) + bits.read(4) + bits.read(4); // front, side, back
  const effects = bits.read(2);
  const others = 4 * bits.read(3) + 5 * bits.read(4); // associated data, coupling: bits to skip
  for (const length of [4, 4, 3]) if (bits.read(1) === 1) bits.read(length); // mixdowns
  let channels = effects;
  for (let i = 0; i < elements; i++) {
    channels += bits.read(1) === 1 ? 2 : 1;
    bits.read(4);
  }
  bits.skip(4 * effects + others);
  bits.align();
  bits.skip(8 * bits.read(8)); // comment
  return channels;
}

/** Most significant bit first. */
class BitReader {
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get left(): number {
    return 8 * this.bytes.length - this.at;
  }

  read(count: number): number {
    if (count > this.left)
      throw new HeaderError(`an AAC configuration that is cut short (${this.bytes.length} bytes)`);
    let value = 0;
    for (let i = 0; i < count; i++, this.at++) {
      value = 2 * value + (((this.bytes[this.at >> 3] as number) >> (7 - (this.at & 7))) & 1);
    }
    return value;
  }

  skip(count: number): void {
    this.at += count;
  }

  align(): void {
    this.at = 8 * Math.ceil(this.at / 8);
  }
}
