import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { encodeSafetensorsHeader, readSafetensorsHeader } from '../../src/base/safetensors-header.ts';

const reference = readFileSync(
  new URL('../../../../test/golden/safetensors/reference.safetensors', import.meta.url),
);

const headerOf = (file: Uint8Array) =>
  readSafetensorsHeader((position, length) => file.subarray(position, position + length), file.length);

/** A file with this header and 64 bytes of tensors. */
function withHeader(header: unknown): Uint8Array {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([size, json, Buffer.alloc(64)]);
}

describe('safetensors headers', () => {
  it('are read as the reference implementation writes them, in the order of their bytes', () => {
    const { entries, metadata } = headerOf(reference);
    expect(metadata).toEqual({ epoch: '7' });
    const byName = Object.fromEntries(entries.map(({ name, ...rest }) => [name, rest]));
    expect(byName['text.lstm.weight']).toMatchObject({ dtype: 'F32', shape: [2, 3, 4] });
    expect(byName['scalar']).toMatchObject({ dtype: 'F32', shape: [] });
    const { start } = byName['bias'] as { start: number };
    expect(reference.readFloatLE(start)).toBe(-1.5);
    expect(entries.at(-1)?.end).toBe(reference.length);
  });

  it('are written with the same bytes', () => {
    const { entries, metadata } = headerOf(reference);
    const plans = entries.map(({ name, shape }) => ({ name, shape, dtype: 'F32' as const }));
    const header = encodeSafetensorsHeader(plans, metadata);
    expect(Buffer.compare(header, reference.subarray(0, header.length))).toBe(0);
    expect(entries[0]?.start).toBe(header.length);
  });

  it('have an end before the file has', () => {
    expect(() => headerOf(reference.subarray(0, reference.length - 4))).toThrow(
      `it is cut off: ${reference.length - 4} bytes, its tensors end at byte ${reference.length}`,
    );
    expect(() => headerOf(reference.subarray(0, 100))).toThrow(
      /no safetensors file, or cut off: a header of \d+ bytes in a file of 100/,
    );
    expect(() => headerOf(Buffer.from('abc'))).toThrow('it is no safetensors file: 3 bytes');
  });

  const f32 = (shape: unknown, from: number, to: number) => ({
    dtype: 'F32',
    shape,
    data_offsets: [from, to],
  });
  it.each([
    ['text that is no JSON', '{"a":', 'its safetensors header is no JSON'],
    ['a list', '[]', 'its safetensors header is no JSON object'],
    ['null', 'null', 'its safetensors header is no JSON object'],
    ['an entry that is a number', { a: 1 }, 'damaged at a'],
    ['a negative dimension', { a: f32([-2], 0, 8) }, 'damaged at a'],
    ['three offsets', { a: { ...f32([2], 0, 8), data_offsets: [0, 8, 8] } }, 'damaged at a'],
    ['an end before its start', { a: f32([2], 8, 0) }, 'damaged at a'],
    ['bytes that are not those of the shape', { a: f32([2], 0, 12) }, 'a has bytes 0 to 12 for F32 [2]'],
    ['tensors that overlap', { a: f32([2], 0, 8), b: f32([2], 4, 12) }, 'damaged at b'],
    ['a gap between tensors', { a: f32([2], 0, 8), b: f32([2], 12, 20) }, 'damaged at b'],
    ['metadata that are no texts', { __metadata__: { a: 1 } }, 'damaged at __metadata__'],
  ])('refuses %s', (_, header, message) => {
    expect(() => headerOf(withHeader(header))).toThrow(message);
  });
});
