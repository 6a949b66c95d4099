import { openAsBlob } from 'node:fs';
import { tableFromIPC } from 'apache-arrow';
import type { ParquetFile, RecordBatch } from 'parquet-wasm';
import { ForeignArrayError, type ForeignSource } from './foreign-array.ts';
import { type ForeignFile, problemOf } from './foreign-files.ts';
import { batchArrays, findColumns } from './table-cells.ts';
import type { Columns } from './table-columns.ts';

/** Rows that are unpacked at once: features of long utterances are about a megabyte each. */
const ROWS_AT_ONCE = 16;

/** Parquet files, a few rows at a time. */
export async function parquetFiles(files: readonly ForeignFile[], columns: Columns): Promise<ForeignSource> {
  let count: number | null = 0;
  for (const { path } of files) {
    try {
      const file = await openParquet(path);
      if (count !== null) count += file.metadata().fileMetadata().numRows();
      file.free();
    } catch {
      count = null; // said where the file is read
    }
  }
  return {
    format: '.parquet',
    count,
    async *arrays(wanted = () => true) {
      for (const file of files) {
        try {
          const parquet = await openParquet(file.path);
          let row = 0;
          for await (const piece of await piecesOf(parquet)) {
            // consumes the piece's memory
            const [batch] = tableFromIPC(piece.intoIPCStream()).batches;
            if (batch === undefined) continue;
            yield* batchArrays(batch, findColumns(batch.schema, columns), file, row, wanted);
            row += batch.numRows;
          }
        } catch (error) {
          yield problemOf(parquetError(error), file.path);
        }
      }
    },
  };
}

async function openParquet(path: string): Promise<ParquetFile> {
  // loaded when it is needed: 5 MB of WebAssembly
  const parquet = await import('parquet-wasm');
  return parquet.ParquetFile.fromFile(await openAsBlob(path));
}

async function piecesOf(parquet: ParquetFile): Promise<AsyncIterable<RecordBatch>> {
  return await parquet.stream({ batchSize: ROWS_AT_ONCE });
}

/** parquet-wasm throws strings. */
function parquetError(error: unknown): unknown {
  if (error instanceof ForeignArrayError || (error as NodeJS.ErrnoException)?.code !== undefined)
    return error;
  const message = typeof error === 'string' ? error : (error as Error).message;
  return new ForeignArrayError(`it is no Parquet file, or a damaged one: ${message}`);
}
