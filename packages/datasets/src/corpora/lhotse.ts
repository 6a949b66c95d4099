import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError, UserErrors } from '../base/errors.ts';
import { describeFinding } from '../manifest/finding.ts';
import { listFolder, RowCollector, rootFolder, type Prepared, type PrepareOptions } from './adapter.ts';
import type { DelimitedRecord } from './delimited.ts';
import { placeChannels, readRecordings, type LhotseRecording } from './lhotse-recordings.ts';
import { readingFindings, readRecordFile, type RecordFile } from './record-file.ts';
import { deriveTableCard } from './table-card.ts';
import { mapColumns, type ColumnMap, type ColumnNames } from './table-file.ts';
import { findAudioFolder, resolveFile } from './table-media.ts';
import { COLUMN_NAMES, type ColumnRole, type TableOptions } from './table-options.ts';
import { addTableRow, endOf, parseSeconds } from './table-row.ts';

/**
 * Lhotse manifests (https://lhotse.readthedocs.io): `recordings.jsonl` and `supervisions.jsonl`, also packed (`.gz`)
 * and with the names that Lhotse's recipes give (`ami-ihm_supervisions_train.jsonl.gz`); of several pairs each is a
 * split, named by what follows the last underscore. One supervision is one utterance. The label is the key that the
 * options name, else `custom.emotion`, `custom.label` and the like. A supervision that is as long as its recording is
 * the recording; any other is a segment. Relative paths are looked for from the root and from the two folders above.
 */
export function prepareLhotse(root: string, options: PrepareOptions): Prepared {
  const base = rootFolder(root, options.dataset);
  const mapping = options.table ?? {};
  const rows = new RowCollector();
  const pairs = findPairs(root, base, mapping);
  for (const pair of pairs) readPair({ base, pair, mapping, rows, dataset: options.dataset });
  if (rows.utterances.length === 0) {
    const lines = rows.problems.map(describeFinding);
    throw new UserErrors([
      `the manifests in ${root} have no utterance that can be used`,
      ...lines.slice(0, 10),
    ]);
  }
  const { utterances, problems, sources } = rows;
  const card = options.carded === true ? {} : { card: deriveTableCard(options.dataset, utterances) };
  return { utterances, problems, sources, ...card };
}

interface Pair {
  readonly supervisions: string;
  readonly recordings: string;
  readonly split: string | null;
}

const SUPERVISIONS = /^(.*)supervisions(.*)\.jsonl(\.gz)?$/;

/** Supervisions with their recordings, by name. */
export function lhotsePairs(folder: string): Pair[] {
  const names = (listFolder(folder) ?? []).map((entry) => entry.name);
  const found = names.flatMap((name) => {
    const recordings = recordingsOf(name, folder);
    return recordings === null ? [] : [{ supervisions: name, recordings }];
  });
  return found.map((pair) => {
    const part = SUPERVISIONS.exec(pair.supervisions)?.[2] ?? '';
    const split = part.slice(part.lastIndexOf('_') + 1);
    return { ...pair, split: found.length > 1 && split !== '' ? split : null };
  });
}

/** Whether a file, named relative to a folder, is a supervisions manifest with recordings beside it. */
export function isSupervisions(name: string, folder: string): boolean {
  return recordingsOf(basename(name), join(folder, dirname(name))) !== null;
}

function recordingsOf(supervisions: string, folder: string): string | null {
  const parts = SUPERVISIONS.exec(supervisions);
  if (parts === null) return null;
  const stem = `${parts[1]}recordings${parts[2]}.jsonl`;
  return [stem, `${stem}.gz`].find((name) => existsSync(join(folder, name))) ?? null;
}

function findPairs(root: string, folder: string, mapping: TableOptions): Pair[] {
  const named = mapping.table ?? (statSync(root).isFile() ? basename(resolve(root)) : undefined);
  if (named === undefined) {
    const pairs = lhotsePairs(folder);
    if (pairs.length > 0) return pairs;
    throw new UserError(
      `no Lhotse manifests in ${root}: expected supervisions.jsonl[.gz] and recordings.jsonl[.gz], or name them with --columns table=FILE,recordings=FILE`,
    );
  }
  const at = dirname(named);
  const near = recordingsOf(basename(named), join(folder, at));
  const recordings = mapping.recordings ?? (near === null ? null : join(at, near));
  if (recordings === null) {
    throw new UserError(`no recordings that belong to ${named}: name them with --columns recordings=FILE`);
  }
  return [{ supervisions: named, recordings, split: null }];
}

/** Keys of a supervision that play a role, custom ones included. */
const NAMES: ColumnNames = {
  ...COLUMN_NAMES,
  file: ['recording_id'],
  id: ['id'],
  label: ['custom.emotion', 'custom.emo', 'custom.label', 'custom.class', 'custom.category'],
  text: ['text'],
  speaker: ['speaker', 'custom.speaker'],
  split: ['custom.split', 'custom.partition', 'custom.subset'],
  session: ['custom.session'],
  dialogue: ['custom.dialogue', 'custom.dialog', 'custom.conversation'],
  turn: ['custom.turn'],
  start: ['start'],
  end: [],
  duration: ['duration'],
  channel: ['channel'],
};
/** Lhotse's own tolerance for lengths, in seconds. */
const TOLERANCE = 0.001;

interface PairContext {
  readonly base: string;
  readonly pair: Pair;
  readonly mapping: TableOptions;
  readonly rows: RowCollector;
  readonly dataset: string;
}

function readPair(context: PairContext): void {
  const { base, pair, mapping, rows } = context;
  const recordings = readRecordings(base, pair.recordings, rows);
  const table = readRecordFile(join(base, pair.supervisions), pair.supervisions);
  // several pairs are splits, whatever the supervisions say
  const asked = pair.split === null ? mapping : { split: 'id', ...mapping };
  const { columns, findings } = mapColumns(table, asked, NAMES);
  rows.problems.push(...readingFindings(table), ...findings);
  const sources = [...recordings.values()].map((recording) => recording.sources[0]?.source ?? '');
  const audio = findAudioFolder(base, mapping.audio, sources, ['', '..', join('..', '..')]);
  const used = new Set<string>();
  const splitColumn = pair.split === null || typeof mapping.split === 'string' ? columns.split : null;
  for (const record of table.records) {
    addSupervision(
      { ...context, recordings, table, columns: { ...columns, split: splitColumn }, audio, used },
      record,
    );
  }
  for (const [id, { place }] of recordings) {
    if (!used.has(id)) rows.report('layout', 'warning', place, `a supervision of ${id}`, 'none');
  }
}

interface SupervisionContext extends PairContext {
  readonly recordings: ReadonlyMap<string, LhotseRecording>;
  readonly table: RecordFile;
  readonly columns: ColumnMap;
  readonly audio: string;
  readonly used: Set<string>;
}

function addSupervision(context: SupervisionContext, record: DelimitedRecord): void {
  const { base, pair, rows, columns, table, dataset, recordings } = context;
  const source = { file: table.name, line: record.line };
  const raw = (role: ColumnRole) => (columns[role] === null ? '' : (record.fields[columns[role]] ?? ''));
  const value = (role: ColumnRole) => raw(role).trim() || null;
  const wrong = (expected: string, found: string) => rows.report('schema', 'error', source, expected, found);
  const id = value('id');
  if (id === null) return wrong('an id', 'none');
  const recording = recordings.get(value('file') ?? '');
  if (recording === undefined) return wrong(`a recording in ${pair.recordings}`, `'${value('file') ?? ''}'`);
  context.used.add(value('file') as string);
  const [start, duration] = [parseSeconds(value('start') ?? '0'), parseSeconds(value('duration') ?? '')];
  if (start === null || duration === null) {
    return wrong('start and duration in seconds', `'${value('start')}' and '${value('duration')}'`);
  }
  const channels = (value('channel') ?? '0').split(',').map(Number);
  const place = placeChannels(recording, channels);
  if (place === null) {
    const there = recording.sources.flatMap((one) => one.channels).join();
    return wrong(`one channel of ${there}, or all of one file`, `channel ${channels.join()}`);
  }
  const turn = value('turn');
  if (turn !== null && !/^\d+$/.test(turn)) return wrong('a whole number as turn', `'${turn}'`);
  const whole = start === 0 && Math.abs(duration - recording.duration) <= TOLERANCE;
  const row = {
    id: pair.split === null ? id : `${pair.split}/${id}`,
    path: resolveFile(base, context.audio, place.source),
    ...(whole ? {} : { start, end: endOf(start, duration) }),
    channel: place.channel,
    label: value('label'),
    text: raw('text'),
    speaker: value('speaker'),
    split: value('split') ?? pair.split,
    session: value('session'),
    // parts of one recording belong together
    dialogue: value('dialogue') ?? (whole ? null : value('file')),
    turn: turn === null ? null : Number(turn),
  };
  addTableRow(rows, dataset, row, source);
}
