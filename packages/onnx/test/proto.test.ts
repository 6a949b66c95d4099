import { describe, expect, it } from 'vitest';
import { ProtoWriter } from '../src/proto.ts';

const hex = (writer: ProtoWriter): string =>
  Buffer.concat(writer.chunks())
    .toString('hex')
    .replaceAll(/(..)(?=.)/g, '$1 ');

describe('ProtoWriter', () => {
  // The first three are the examples of https://protobuf.dev/programming-guides/encoding/.
  it('writes varints', () => {
    expect(hex(new ProtoWriter().int(1, 150))).toBe('08 96 01');
    expect(hex(new ProtoWriter().int(1, -2))).toBe('08 fe ff ff ff ff ff ff ff ff 01');
    expect(hex(new ProtoWriter().int(16, 2 ** 40))).toBe('80 01 80 80 80 80 80 20');
    expect(hex(new ProtoWriter().int(1, -(2n ** 63n)))).toBe('08 80 80 80 80 80 80 80 80 80 01');
  });

  it('writes strings, floats and nested messages', () => {
    expect(hex(new ProtoWriter().string(2, 'testing'))).toBe('12 07 74 65 73 74 69 6e 67');
    expect(hex(new ProtoWriter().message(3, new ProtoWriter().int(1, 150)))).toBe('1a 03 08 96 01');
    expect(hex(new ProtoWriter().float(2, 1.5))).toBe('15 00 00 c0 3f');
    expect(hex(new ProtoWriter().string(1, 'é'))).toBe('0a 02 c3 a9');
  });

  it('refuses numbers that a varint cannot hold exactly', () => {
    expect(() => new ProtoWriter().int(3, 0.5)).toThrow('field 3: 0.5 is not an integer');
    expect(() => new ProtoWriter().int(3, 2 ** 60)).toThrow('not an integer');
  });

  it('passes large arrays on without a copy, in order', () => {
    const large = new Uint8Array(5000).fill(7);
    const inner = new ProtoWriter().int(1, 1).bytes(2, large).int(1, 2);
    const chunks = new ProtoWriter().message(4, inner).string(5, 'end').chunks();
    expect(chunks.some((chunk) => chunk === large)).toBe(true);
    const whole = Buffer.concat(chunks);
    expect(whole.length).toBe(1 + 2 + (2 + 3 + 5000 + 2) + 5);
    expect(whole.subarray(0, 8).toString('hex')).toBe('228f270801128827');
    expect(whole.subarray(-7).toString('hex')).toBe('08022a03656e64');
  });
});
