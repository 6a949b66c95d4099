/** A WAV file in memory, for tests: any format tag, size or damage. */
export function wavBytes(
  data: Uint8Array,
  options: {
    bits: number;
    channels?: number;
    rate?: number;
    tag?: number;
    extensible?: boolean;
    /** Size in the data chunk's header, where it should lie. */
    promised?: number;
    /** A chunk that comes before the data. */
    extra?: { name: string; bytes: Uint8Array };
  },
): Buffer {
  const { bits, channels = 1, rate = 16_000, tag = 1, extensible = false, extra } = options;
  const block = (channels * bits) / 8;
  const format = Buffer.alloc(extensible ? 40 : 16);
  format.writeUInt16LE(extensible ? 0xfffe : tag, 0);
  format.writeUInt16LE(channels, 2);
  format.writeUInt32LE(rate, 4);
  format.writeUInt32LE(rate * block, 8);
  format.writeUInt16LE(block, 12);
  format.writeUInt16LE(bits, 14);
  if (extensible) {
    format.writeUInt16LE(22, 16);
    format.writeUInt16LE(bits, 18);
    format.writeUInt16LE(tag, 24);
    Buffer.from('000000001000800000aa00389b71', 'hex').copy(format, 26);
  }
  const chunks = [
    chunk('fmt ', format),
    ...(extra === undefined ? [] : [chunk(extra.name, extra.bytes)]),
    chunk('data', data, options.promised),
  ];
  const body = Buffer.concat([Buffer.from('WAVE'), ...chunks]);
  return chunk('RIFF', body);
}

function chunk(name: string, bytes: Uint8Array, promised = bytes.length): Buffer {
  const head = Buffer.alloc(8);
  head.write(name, 'latin1');
  head.writeUInt32LE(promised, 4);
  return Buffer.concat([head, bytes, Buffer.alloc(bytes.length % 2)]);
}

/** 16-bit samples. */
export function pcm16(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length);
  values.forEach((value, i) => bytes.writeInt16LE(value, 2 * i));
  return bytes;
}
