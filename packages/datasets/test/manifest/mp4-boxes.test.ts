import { expect, it } from 'vitest';
import { boxesIn, findBox, readBoxHeader } from '../../src/manifest/mp4-boxes.ts';
import { box } from '../support/clips.ts';

const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const text = (found: DataView | null) =>
  found === null ? null : Buffer.from(found.buffer, found.byteOffset, found.byteLength).toString();

it('finds boxes by their path', () => {
  const file = Buffer.concat([
    box('free', Buffer.from('nothing')),
    box('moov', box('trak', box('udta', Buffer.from('one'))), box('udta', Buffer.from('two'))),
  ]);
  expect(text(findBox(view(file), 'moov', 'udta'))).toBe('two');
  expect(text(findBox(view(file), 'moov', 'trak', 'udta'))).toBe('one');
  expect(findBox(view(file), 'moov', 'mvex')).toBeNull();
  expect([...boxesIn(view(file))].map((one) => one.type)).toEqual(['free', 'moov']);
});

it('ends a box that promises more than there is, and stops where none can begin', () => {
  const cut = box('moov', Buffer.from('content')).subarray(0, 11);
  expect([...boxesIn(view(cut))].map((one) => [one.type, text(one.body)])).toEqual([['moov', 'con']]);
  expect([...boxesIn(view(Buffer.from([0, 0, 0, 3, 0, 0, 0, 0])))]).toEqual([]);
});

it('reads sizes of 32 and 64 bits, and the one that means the rest of the file', () => {
  const head = (hex: string) => readBoxHeader(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
  expect(head('00000010 6d646174')).toEqual({ type: 'mdat', header: 8, size: 16 });
  expect(head('00000001 6d646174 00000001 00000000')).toEqual({ type: 'mdat', header: 16, size: 2 ** 32 });
  expect(head('00000000 6d646174')).toEqual({ type: 'mdat', header: 8, size: 0 });
  expect(head('00000001 6d646174')).toBeNull();
  expect(head('00000007 6d646174')).toBeNull();
  expect(head('000000')).toBeNull();
});
