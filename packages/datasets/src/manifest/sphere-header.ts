import { HeaderError } from './header-error.ts';

/** The first bytes of every SPHERE file. */
export const SPHERE_MAGIC = 'NIST_1A\n';
/** Headers are 1,024 bytes in practice; the file says so itself. */
export const SPHERE_HEADER_BYTES = 1024;

export interface SphereHeader {
  readonly seconds: number;
  /** In Hz. */
  readonly sampleRate: number;
  readonly channels: number;
}

/**
 * Reads a NIST SPHERE header: lines of `name -type value` until `end_head`.
 * @throws HeaderError where it is damaged or lacks sample_rate or sample_count.
 */
export function readSphereHeader(bytes: Uint8Array): SphereHeader {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const end = text.indexOf('end_head');
  if (!text.startsWith(SPHERE_MAGIC) || end < 0) throw new HeaderError('a SPHERE header that is cut short');
  const number = (name: string) => {
    const found = new RegExp(`^${name} -i (\\d+)\\s*$`, 'm').exec(text.slice(0, end))?.[1];
    return found === undefined ? null : Number(found);
  };
  const [rate, count] = [number('sample_rate'), number('sample_count')];
  const channels = number('channel_count') ?? 1;
  if (rate === null || rate === 0 || count === null || channels === 0) {
    throw new HeaderError('a SPHERE header without sample_rate or sample_count');
  }
  return { seconds: count / rate, sampleRate: rate, channels };
}
