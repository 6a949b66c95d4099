import { open } from 'node:fs/promises';
import { createRequire } from 'node:module';
import * as zlib from 'node:zlib';
import { CompressionType, compressionRegistry, RecordBatchReader } from 'apache-arrow';
import { ForeignArrayError, type ForeignSource } from './foreign-array.ts';
import { type ForeignFile, problemOf } from './foreign-files.ts';
import { batchArrays, findColumns } from './table-cells.ts';
import type { Columns } from './table-columns.ts';

/** A package without types. */
const lz4 = createRequire(import.meta.url)('lz4js') as { decompress(frame: Uint8Array): Uint8Array };

/** pandas and pyarrow compress Feather files with LZ4 unless told otherwise; Node unpacks zstd from 22.15 on. */
function registerCodecs(): void {
  compressionRegistry.set(CompressionType.LZ4_FRAME, { decode: (bytes) => lz4.decompress(bytes) });
  const { zstdDecompressSync: unpack } = zlib as { zstdDecompressSync?: (bytes: Uint8Array) => Uint8Array };
  if (unpack !== undefined)
    compressionRegistry.set(CompressionType.ZSTD, { decode: (bytes) => new Uint8Array(unpack(bytes)) });
}

/** Arrow files (Feather) and streams (what Hugging Face datasets keep), a record batch at a time. */
export function arrowFiles(files: readonly ForeignFile[], columns: Columns): ForeignSource {
  registerCodecs();
  return {
    format: '.arrow',
    count: null,
    async *arrays(wanted = () => true) {
      for (const file of files) {
        const { path } = file;
        try {
          const handle = await open(path, 'r');
          try {
            const reader = await RecordBatchReader.from(handle);
            await reader.open();
            const found = findColumns(reader.schema, columns);
            let row = 0;
            for await (const batch of reader) {
              yield* batchArrays(batch, found, file, row, wanted);
              row += batch.numRows;
            }
          } finally {
            await handle.close();
          }
        } catch (error) {
          yield problemOf(arrowError(error), path);
        }
      }
    },
  };
}

/** apache-arrow's own errors are about the file; they are plain. */
function arrowError(error: unknown): unknown {
  if (error instanceof ForeignArrayError || (error as NodeJS.ErrnoException).code !== undefined) return error;
  const { message } = error as Error;
  if (/codec not found/.test(message)) {
    return new ForeignArrayError(
      'it is compressed with zstd, which Node unpacks from 22.15 on: use that, or write it with compression="lz4"',
    );
  }
  return new ForeignArrayError(`it is no Arrow file, or a damaged one: ${message}`);
}
