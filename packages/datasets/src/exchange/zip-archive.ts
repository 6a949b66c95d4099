import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { ForeignArrayError } from './foreign-array.ts';

/** A file inside a zip archive, stored or deflated, zip64 or not. */
export interface ZipEntry {
  readonly name: string;
  /** Bytes once unpacked. */
  readonly size: number;
  /** @throws ForeignArrayError where the bytes are not those that were packed. */
  read(): Promise<Buffer>;
  /** The same in pieces of the archive's own making; the last one comes before the checksum is known to be wrong. */
  pieces(): AsyncIterable<Buffer>;
}

/**
 * Goes through an archive in the order of its directory.
 * @throws ForeignArrayError where it is no zip archive.
 */
export async function* zipEntries(path: string): AsyncGenerator<ZipEntry> {
  const zip = await openZip(path);
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName.endsWith('/')) continue;
      yield zipEntry(zip, entry);
    }
  } catch (error) {
    throw asArrayError(error);
  } finally {
    zip.close();
  }
}

/** Files in an archive. @throws as `zipEntries`. */
export async function countZipEntries(path: string): Promise<number> {
  const zip = await openZip(path);
  zip.close();
  return zip.entryCount;
}

async function openZip(path: string): Promise<ZipFile> {
  try {
    return await openPromise(path, { lazyEntries: true, autoClose: false });
  } catch (error) {
    throw asArrayError(error);
  }
}

/** yauzl's errors say what is wrong with the archive; the file system's carry a code and stay what they are. */
function asArrayError(error: unknown): unknown {
  if (error instanceof ForeignArrayError || (error as NodeJS.ErrnoException).code !== undefined) return error;
  return new ForeignArrayError(`it is no zip archive, or a damaged one: ${(error as Error).message}`);
}

function zipEntry(zip: ZipFile, entry: Entry): ZipEntry {
  const { fileName: name, uncompressedSize: size } = entry;
  async function* pieces(): AsyncGenerator<Buffer> {
    const stream: Readable = await zip.openReadStreamPromise(entry);
    let sum = 0;
    for await (const piece of stream as AsyncIterable<Buffer>) {
      sum = crc32(piece, sum);
      yield piece;
    }
    if (sum !== entry.crc32)
      throw new ForeignArrayError(
        `its crc32 is ${sum.toString(16)}, the archive says ${entry.crc32.toString(16)}`,
      );
  }
  return {
    name,
    size,
    pieces,
    async read() {
      const bytes = Buffer.allocUnsafe(size);
      let at = 0;
      for await (const piece of pieces()) at += piece.copy(bytes, at);
      return bytes;
    },
  };
}
