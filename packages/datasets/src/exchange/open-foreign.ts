import { arrowFiles } from './arrow-files.ts';
import type { ForeignSource } from './foreign-array.ts';
import { findForeignFiles, type ForeignFormat } from './foreign-files.ts';
import { npyFiles } from './npy-files.ts';
import { npzFiles } from './npz-files.ts';
import { parquetFiles } from './parquet-files.ts';
import { safetensorsFiles } from './safetensors.ts';
import type { Columns } from './table-columns.ts';

/**
 * Opens features made elsewhere: a file, or a folder of files of one format.
 * @throws UserError where there is nothing to read, or several formats and no choice.
 */
export async function openForeign(
  path: string,
  columns: Columns,
  format?: ForeignFormat,
): Promise<ForeignSource> {
  const found = findForeignFiles(path, format);
  switch (found.format) {
    case 'npy':
      return npyFiles(found.files);
    case 'npz':
      return npzFiles(found.files, columns);
    case 'safetensors':
      return safetensorsFiles(found.files, columns);
    case 'parquet':
      return parquetFiles(found.files, columns);
    default:
      return arrowFiles(found.files, columns);
  }
}
