import { openSync, readSync, closeSync, statSync } from 'node:fs';
import { UserError } from '@lsgmer/datasets';
import { openPromise } from 'yauzl';
import { ELEMENT_SIZES, type StoredTensor, readBytes } from './stored-tensor.ts';
import { TORCH_RULES, type TorchContent, TorchStorage, findTensors } from './torch-pickle.ts';
import { type PickleValue, unpickle } from './unpickle.ts';

/** A checkpoint that torch.save wrote. */
export interface TorchCheckpoint {
  readonly tensors: StoredTensor[];
  readonly settings: ReadonlyMap<PickleValue, PickleValue> | undefined;
}

/** The description of a model's tensors is small: what is larger is no checkpoint. */
const LARGEST_PICKLE = 256e6;

const PROGRAM = 'it is a TorchScript program: save its state_dict() instead';

/** First values of the format that torch.save wrote before version 1.6. */
const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;

/**
 * Reads where the tensors of a torch checkpoint lie: the zip format, or the one before torch 1.6. Nothing in the
 * file is run, and what is no tensor is refused by name.
 * @throws UserError with the file's name and what is wrong with it
 */
export async function readTorchCheckpoint(file: string): Promise<TorchCheckpoint> {
  try {
    const head = firstBytes(file, 265);
    if (head[0] === 0x50 && head[1] === 0x4b) return await readZip(file);
    if (head[0] === 0x80) return readLegacy(file);
    if (Buffer.from(head.subarray(257, 262)).toString('latin1') === 'ustar')
      throw new Error(
        'it is in the tar format of torch before 0.4, which is not read: load and save it with a newer torch',
      );
    throw new Error('it is neither a zip archive nor a pickle');
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${file} is no torch checkpoint that can be read: ${(error as Error).message}`);
  }
}

function firstBytes(file: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const fd = openSync(file, 'r');
  try {
    return bytes.subarray(0, readSync(fd, bytes));
  } finally {
    closeSync(fd);
  }
}

/** An archive with a folder that holds data.pkl, and each storage as data/<key>, stored as it is. */
async function readZip(file: string): Promise<TorchCheckpoint> {
  const zip = await openPromise(file, { autoClose: false });
  try {
    const places = new Map<string, { offset: number; size: number }>();
    for await (const entry of zip.eachEntry()) {
      // Programs are compressed, tensors never.
      if (entry.compressionMethod !== 0) {
        if (entry.fileName.includes('/code/')) throw new Error(PROGRAM);
        throw new Error(`entry ${entry.fileName} is compressed, torch stores it as it is`);
      }
      const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
      // The archive's own folder is named after the file that was saved.
      const name = entry.fileName.slice(entry.fileName.indexOf('/') + 1);
      places.set(name, { offset: fileDataStart, size: entry.uncompressedSize });
    }
    const description = places.get('data.pkl');
    if (description === undefined) throw new Error('the archive has no data.pkl');
    if (places.has('constants.pkl')) throw new Error(PROGRAM);
    const order = places.get('byteorder');
    if (order !== undefined && textAt(file, order) !== 'little')
      throw new Error('its numbers are big-endian');
    if (description.size > LARGEST_PICKLE) throw new Error(`its description has ${description.size} bytes`);
    const { value } = unpickle(
      readBytes(file, description.offset, description.size, 'data.pkl'),
      TORCH_RULES,
    );
    return located(file, findTensors(value), (storage) => {
      const place = places.get(`data/${storage.key}`);
      if (place === undefined) throw new Error(`storage ${storage.key} is missing`);
      if (place.size < storage.size * ELEMENT_SIZES[storage.kind])
        throw new Error(
          `storage ${storage.key} has ${place.size} bytes, expected ${storage.size} ${storage.kind}`,
        );
      return place.offset;
    });
  } finally {
    zip.close();
  }
}

function textAt(file: string, { offset, size }: { offset: number; size: number }): string {
  return Buffer.from(readBytes(file, offset, Math.min(size, 16), 'byteorder')).toString('latin1');
}

/**
 * Before torch 1.6: five pickles (a magic number, the protocol, sizes of the machine's types, the content, the
 * storages' keys), then each storage as its length and its bytes.
 */
function readLegacy(file: string): TorchCheckpoint {
  const { size } = statSync(file);
  const head = readBytes(file, 0, Math.min(size, LARGEST_PICKLE), 'the description');
  const magic = unpickle(head, TORCH_RULES);
  if (magic.value !== LEGACY_MAGIC) throw new Error('it is a pickle, but not one that torch.save wrote');
  const protocol = unpickle(head, TORCH_RULES, magic.end);
  const system = unpickle(head, TORCH_RULES, protocol.end);
  if (system.value instanceof Map && system.value.get('little_endian') === false)
    throw new Error('its numbers are big-endian');
  const sizes = new Map<string, TorchStorage>();
  const content = unpickle(
    head,
    {
      ...TORCH_RULES,
      persistent(id) {
        const storage = TORCH_RULES.persistent(id) as TorchStorage;
        const view = Array.isArray(id) ? id[5] : null;
        if (view !== null && view !== undefined)
          throw new Error('it has views of storages, as torch 0.3 wrote them');
        sizes.set(storage.key, storage);
        return storage;
      },
    },
    system.end,
  );
  const keys = unpickle(head, TORCH_RULES, content.end);
  if (!Array.isArray(keys.value)) throw new Error('its list of storages is missing');
  const offsets = new Map<string, number>();
  let at = keys.end;
  for (const key of keys.value.map(String)) {
    const storage = sizes.get(key);
    if (storage === undefined) throw new Error(`storage ${key} is not described`);
    const length = Number(new DataView(readBytes(file, at, 8, `storage ${key}`).buffer).getBigInt64(0, true));
    if (length !== storage.size)
      throw new Error(`storage ${key} has ${length} elements, expected ${storage.size}`);
    offsets.set(key, at + 8);
    at += 8 + length * ELEMENT_SIZES[storage.kind];
    if (at > size)
      throw new Error(`it has ${size} bytes, but storage ${key} ends at byte ${at}: the file is cut off`);
  }
  return located(file, findTensors(content.value), ({ key }) => {
    const offset = offsets.get(key);
    if (offset === undefined) throw new Error(`storage ${key} is missing`);
    return offset;
  });
}

function located(
  file: string,
  { tensors, settings }: TorchContent,
  offsetOf: (storage: TorchStorage) => number,
): TorchCheckpoint {
  return {
    settings,
    tensors: [...tensors].map(([name, { storage, offset, shape, strides }]) => ({
      name,
      kind: storage.kind,
      shape,
      strides,
      file,
      offset: offsetOf(storage) + offset * ELEMENT_SIZES[storage.kind],
    })),
  };
}
