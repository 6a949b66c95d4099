import { statSync } from 'node:fs';
import { UserError } from '@lsgmer/datasets';
import { z } from 'zod';
import { ELEMENT_SIZES, type StoredTensor, elementsOf, readBytes } from './stored-tensor.ts';

/** The reference refuses longer headers, too. */
const LONGEST_HEADER = 100_000_000;

const count = z.number().int().nonnegative();
const Entry = z.object({ dtype: z.string(), shape: z.array(count), data_offsets: z.tuple([count, count]) });

/**
 * Where the tensors of a safetensors file lie (github.com/huggingface/safetensors: 8 bytes with the header's
 * length, a JSON header, then the tensors). Reads the header only.
 * @throws UserError when the file is no safetensors file, or is cut off
 */
export function readSafetensorsHeader(file: string): StoredTensor[] {
  const refuse = (why: string): never => {
    throw new UserError(`${file} is no safetensors file: ${why}`);
  };
  const size = statSync(file).size;
  if (size < 8) refuse(`it has ${size} bytes`);
  const length = Number(new DataView(readBytes(file, 0, 8, 'the header').buffer).getBigUint64(0, true));
  if (length > LONGEST_HEADER || 8 + length > size) refuse(`header of ${length} bytes in a file of ${size}`);
  let header: { [name: string]: unknown };
  try {
    header = JSON.parse(
      Buffer.from(readBytes(file, 8, length, 'the header')).toString('utf8'),
    ) as typeof header;
  } catch (error) {
    return refuse(`its header is not JSON (${(error as Error).message})`);
  }
  const tensors: StoredTensor[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const entry = Entry.safeParse(value);
    if (!entry.success) return refuse(`entry ${name} of its header is damaged`);
    const {
      dtype,
      shape,
      data_offsets: [start, end],
    } = entry.data;
    if (!(dtype in ELEMENT_SIZES)) {
      throw new UserError(`${file}: ${name} is ${dtype}: expected F32, F16, BF16 or F64`);
    }
    const kind = dtype as keyof typeof ELEMENT_SIZES;
    if (end - start !== elementsOf(shape) * ELEMENT_SIZES[kind])
      refuse(`${name} has bytes ${start} to ${end} for ${kind} [${shape.join(', ')}]`);
    if (8 + length + end > size) {
      throw new UserError(
        `${file} has ${size} bytes, but ${name} ends at byte ${8 + length + end}: the file is cut off, fetch it again`,
      );
    }
    tensors.push({ name, kind, shape, file, offset: 8 + length + start });
  }
  return tensors;
}
