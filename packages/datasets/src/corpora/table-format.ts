import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { dataFolders } from './kaldi.ts';
import { isSupervisions, lhotsePairs } from './lhotse.ts';
import type { TableOptions } from './table-options.ts';

export type TableFormat = NonNullable<TableOptions['format']>;

/**
 * How a corpus without an adapter of its own is written: as the options say, else a Kaldi data folder where there is
 * a wav.scp, Lhotse manifests where there are supervisions with recordings, else a table.
 * @param folder the root's folder, the root being a folder or a file in it
 */
export function detectFormat(root: string, folder: string, options: TableOptions): TableFormat {
  if (options.format !== undefined) return options.format;
  const named = options.table ?? (statSync(root).isFile() ? basename(root) : undefined);
  if (named !== undefined) {
    if (basename(named) === 'wav.scp') return 'kaldi';
    return isSupervisions(named, folder) ? 'lhotse' : 'table';
  }
  if (dataFolders(folder).length > 0) return 'kaldi';
  return lhotsePairs(folder).length > 0 ? 'lhotse' : 'table';
}
