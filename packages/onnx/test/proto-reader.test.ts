import { describe, expect, it } from 'vitest';
import { ProtoWriter } from '../src/proto.ts';
import { bytesOf, integersOf, readFields, stringsOf, writeFields } from '../src/proto-reader.ts';

const joined = (writer: ProtoWriter): Uint8Array => new Uint8Array(Buffer.concat(writer.chunks()));

describe('readFields', () => {
  const message = joined(
    new ProtoWriter()
      .int(1, -3)
      .string(2, 'añb')
      .float(3, 0.5)
      .int(1, 300)
      .bytes(4, Uint8Array.of(0x96, 1, 5)),
  );

  it('reads what was written', () => {
    const fields = readFields(message);
    expect(integersOf(fields, 1)).toEqual([-3n, 300n]);
    expect(stringsOf(fields, 2)).toEqual(['añb']);
    expect(fields.find(({ field }) => field === 3)?.value).toEqual({ float: 0.5 });
    expect(integersOf(fields, 4)).toEqual([150n, 5n]); // packed, protobuf's own example
    expect(bytesOf(fields, 4)).toEqual([Uint8Array.of(0x96, 1, 5)]);
  });

  it('writes what was read, byte by byte', () => {
    expect(joined(writeFields(readFields(message)))).toEqual(message);
  });

  it('refuses what is cut or of another kind', () => {
    expect(() => readFields(message.subarray(0, message.length - 1))).toThrow('has 3 bytes, 2 are left');
    expect(() => readFields(Uint8Array.of(0x80))).toThrow('ends inside a number');
    expect(() => readFields(new Uint8Array(12).fill(0xff))).toThrow('longer than ten bytes');
    expect(() => readFields(Uint8Array.of(0x0d, 1, 2))).toThrow('field 1 of a protobuf message is cut');
    expect(() => readFields(Uint8Array.of(0x09))).toThrow('wire type 1');
  });
});
