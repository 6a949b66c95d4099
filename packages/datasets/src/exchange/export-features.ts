import { setImmediate } from 'node:timers/promises';
import { Interrupted, UserError } from '../base/errors.ts';
import { type Reporter, silent } from '../base/reporter.ts';
import { encodeSafetensorsHeader } from '../base/safetensors-header.ts';
import { compareIds } from '../manifest/utterance.ts';
import { orUserError } from '../store/disk-error.ts';
import type { FeatureSet } from '../store/feature-set-reader.ts';
import { bytesOf } from '../store/row-hash.ts';
import { ExportFolder } from './export-folder.ts';
import { type ExportRow, exportRow } from './export-row.ts';
import { encodeNpyHeader } from './npy.ts';
import { ParquetExport } from './parquet-export.ts';

export const EXPORT_FORMATS = ['parquet', 'npy', 'safetensors'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface ExportOptions {
  /** Stays the caller's, who closes it. */
  readonly set: FeatureSet;
  readonly to: ExportFormat;
  /** Folder that is made. */
  readonly out: string;
  /** One vector for each utterance, as float32: the mean over its steps. */
  readonly pool: 'mean' | null;
  /** Replace an earlier export. */
  readonly force: boolean;
  readonly reporter?: Reporter;
  readonly signal?: AbortSignal | undefined;
}

/** What an export wrote, as its record says it. */
export interface ExportReport {
  readonly rows: number;
  /** Values of all files, in bytes, before compression. */
  readonly bytes: number;
  /** Rows by file; for .npy by the folder of each split. */
  readonly files: Readonly<Record<string, number>>;
}

const ANOTHER_OUT = 'choose another --out';

/**
 * Writes a feature set into a folder: `<split>.parquet` (zstd), `<split>.safetensors` with a tensor for each
 * utterance, or `<id>.npy`. One row is in memory at a time (a few for Parquet), and each is checked by its xxh64.
 * @throws UserError where the folder is there already, DamageError for a row that is not as it was written, Interrupted.
 */
export async function exportFeatures(options: ExportOptions): Promise<ExportReport> {
  const { set, out, force } = options;
  const ids = set.ids().sort(compareIds);
  if (ids.length === 0) throw new UserError(`${set.spec.feature} has no row yet: there is nothing to export`);
  const folder = orUserError(out, () => new ExportFolder(out, force), ANOTHER_OUT);
  try {
    const splits = new Map<string, string[]>();
    for (const id of ids) {
      const name = fileName(set.split(id));
      splits.set(name, [...(splits.get(name) ?? []), id]);
    }
    const report = await writeSplits(folder, splits, options);
    const { spec } = set;
    const record = { format: 1, to: options.to, pool: options.pool, ...report, spec };
    orUserError(out, () => folder.seal(record), ANOTHER_OUT);
    return report;
  } finally {
    folder.discard();
  }
}

/** Files are named by split; a corpus without splits has one file. */
function fileName(split: string | null): string {
  return split === null ? 'all' : encodeURIComponent(split).replaceAll('.', '%2E');
}

async function writeSplits(
  folder: ExportFolder,
  splits: ReadonlyMap<string, readonly string[]>,
  options: ExportOptions,
): Promise<ExportReport> {
  const { set, to, reporter = silent, signal } = options;
  const total = [...splits.values()].reduce((sum, ids) => sum + ids.length, 0);
  const files: Record<string, number> = {};
  let done = 0;
  let bytes = 0;
  async function* rows(ids: readonly string[]): AsyncGenerator<ExportRow> {
    for (const id of ids) {
      // signals are heard between rows
      await setImmediate();
      if (signal?.aborted === true) throw new Interrupted('stopped: nothing was exported');
      const row = exportRow(set, id, options.pool);
      bytes += row.values.byteLength;
      yield row;
      done++;
      reporter.progress({ task: `export ${set.spec.feature}`, done, total, unit: 'rows' });
    }
  }
  for (const [split, ids] of splits) {
    if (to === 'npy') await writeNpys(folder, rows(ids));
    else if (to === 'safetensors') await writeTensors(folder, split, ids, rows(ids), options);
    else await writeParquet(folder, split, rows(ids), options);
    files[to === 'npy' ? `${split}: .npy` : `${split}.${to}`] = ids.length;
  }
  return { rows: done, bytes, files };
}

const typeOf = (values: Uint16Array | Float32Array): 'float16' | 'float32' =>
  values instanceof Uint16Array ? 'float16' : 'float32';

async function writeNpys(folder: ExportFolder, rows: AsyncIterable<ExportRow>): Promise<void> {
  for await (const { id, shape, values } of rows) {
    const file = folder.create(`${id}.npy`);
    try {
      file.write(encodeNpyHeader(typeOf(values), shape));
      file.write(bytesOf(values));
    } finally {
      file.close();
    }
  }
}

async function writeTensors(
  folder: ExportFolder,
  split: string,
  ids: readonly string[],
  rows: AsyncIterable<ExportRow>,
  { set, pool }: ExportOptions,
): Promise<void> {
  const { dim, spec } = set;
  const dtype = pool === null && set.dtype === 'float16' ? 'F16' : 'F32';
  const plans = ids.map(
    (name) => ({ name, dtype, shape: pool === null ? [set.length(name), dim] : [dim] }) as const,
  );
  const file = folder.create(`${split}.safetensors`);
  try {
    file.write(encodeSafetensorsHeader(plans, { 'lsgmer.spec': JSON.stringify(spec), split }));
    for await (const { values } of rows) file.write(bytesOf(values));
  } finally {
    file.close();
  }
}

async function writeParquet(
  folder: ExportFolder,
  split: string,
  rows: AsyncIterable<ExportRow>,
  { set, pool }: ExportOptions,
): Promise<void> {
  const file = folder.create(`${split}.parquet`);
  try {
    const parquet = new ParquetExport(set, pool !== null);
    for await (const bytes of parquet.encode(rows)) file.write(bytes);
  } finally {
    file.close();
  }
}
