import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../base/errors.ts';
import { listFolder, RowCollector, rootFolder, type Prepared, type PrepareOptions } from './adapter.ts';
import {
  readKaldiTable,
  readSegments,
  requirePlainPaths,
  type KaldiEntry,
  type KaldiSegment,
  type KaldiTable,
} from './kaldi-files.ts';
import { deriveTableCard } from './table-card.ts';
import { findAudioFolder, resolveFile } from './table-media.ts';
import type { TableOptions } from './table-options.ts';
import { addTableRow } from './table-row.ts';

/**
 * Kaldi data folders (https://kaldi-asr.org/doc/data_prep.html): `wav.scp` of plain paths, `text`, `utt2spk`, where
 * utterances are parts of recordings `segments`, and a label file (`utt2emo`, `utt2emotion` or `utt2label`, or the one
 * that the options name). The root is one such folder, or holds several (`train`, `dev`, `test`), which are the
 * splits then. Each further role that the options name (session, dialogue, turn, split) is a file of
 * `utterance value` lines too. Relative paths of recordings are looked for from the data folder, from the root, and
 * from the two folders above it, since recipes write them from where they run.
 */
export function prepareKaldi(root: string, options: PrepareOptions): Prepared {
  const base = rootFolder(root, options.dataset);
  const mapping = options.table ?? {};
  const rows = new RowCollector();
  const folders = dataFolders(base);
  if (folders.length === 0) {
    throw new UserError(`no wav.scp in ${root}, nor in a folder of it: expected a Kaldi data folder`);
  }
  for (const folder of folders) {
    readDataFolder({ base, folder, split: folder === '' ? null : folder, mapping, rows, ...options });
  }
  if (rows.utterances.length === 0) {
    throw new UserError(
      `the data folder ${root} has no utterance that can be used: see its wav.scp and segments`,
    );
  }
  const { utterances, problems, sources } = rows;
  const card = options.carded === true ? {} : { card: deriveTableCard(options.dataset, utterances) };
  return { utterances, problems, sources, ...card };
}

/** The root itself (as ''), else the folders in it that hold a wav.scp. */
export function dataFolders(base: string): string[] {
  if (existsSync(join(base, 'wav.scp'))) return [''];
  return (listFolder(base) ?? [])
    .map((entry) => entry.name)
    .filter((name) => existsSync(join(base, name, 'wav.scp')));
}

const LABEL_FILES = ['utt2emo', 'utt2emotion', 'utt2label'];

interface FolderContext {
  readonly base: string;
  /** Relative to the root. */
  readonly folder: string;
  readonly dataset: string;
  readonly split: string | null;
  readonly mapping: TableOptions;
  readonly rows: RowCollector;
}

type Role = 'label' | 'text' | 'speaker' | 'session' | 'dialogue' | 'turn' | 'split';
type Roles = Readonly<Record<Role, KaldiTable | null>>;

function readDataFolder(context: FolderContext): void {
  const { base, folder, rows, mapping } = context;
  const inFolder = (file: string) => (folder === '' ? file : `${folder}/${file}`);
  const wavs = readKaldiTable(base, inFolder('wav.scp'), rows);
  requirePlainPaths(wavs);
  const cut = existsSync(join(base, inFolder('segments')));
  const segments = cut ? readSegments(base, inFolder('segments'), rows) : wholeRecordings(wavs);
  const roles = readRoles(context, inFolder);
  reportStrangers(roles, segments, cut ? 'segments' : 'wav.scp', rows);
  const paths = [...wavs.values()].map(({ value }) => value);
  const places = [folder, '', '..', join('..', '..')];
  const audio = findAudioFolder(base, mapping.audio, paths, places);
  const used = new Set<string>();
  for (const [utterance, segment] of segments) {
    const wav = wavs.get(segment.recording);
    if (wav === undefined || wav.value === '') {
      const expected = `a path of ${segment.recording} in ${inFolder('wav.scp')}`;
      rows.report('schema', 'error', segment.source, expected, 'none');
      continue;
    }
    used.add(segment.recording);
    addUtterance(context, roles, utterance, segment, resolveFile(base, audio, wav.value), cut);
  }
  for (const [recording, { source }] of wavs) {
    if (!used.has(recording)) rows.report('layout', 'warning', source, `a segment of ${recording}`, 'none');
  }
}

interface Part extends Omit<KaldiSegment, 'start'> {
  readonly start?: number;
}

function wholeRecordings(wavs: KaldiTable): Map<string, Part> {
  return new Map([...wavs].map(([key, { source }]) => [key, { recording: key, source }]));
}

/** @throws UserError where there is no label, or nothing to make folds of. */
function readRoles(
  { base, folder, split, mapping, rows }: FolderContext,
  inFolder: (file: string) => string,
): Roles {
  const there = (file: string) => existsSync(join(base, inFolder(file)));
  const named = (role: Role, usual: readonly string[]): KaldiTable | null => {
    const asked = mapping[role];
    if (asked === null) return null;
    const file = asked ?? usual.find(there);
    return file === undefined ? null : readKaldiTable(base, inFolder(file), rows);
  };
  const label = named('label', LABEL_FILES);
  if (label === null && mapping.label !== null) {
    throw new UserError(
      `no label file in ${join(base, folder)}: expected ${LABEL_FILES.join(', ')} ('utterance label' lines), or name one with --columns label=FILE`,
    );
  }
  const text = named('text', ['text']);
  if (text === null && mapping.text !== null) {
    const expected = 'a file of the texts (--columns text=FILE, or text=null where the corpus has none)';
    rows.report('layout', 'error', { file: inFolder('text'), line: null }, expected, 'none');
  }
  const [speaker, session, others] = [
    named('speaker', ['utt2spk']),
    named('session', []),
    named('split', []),
  ];
  if (speaker === null && session === null && others === null && split === null) {
    throw new UserError(
      `no utt2spk in ${join(base, folder)}, so no folds: name a file with --columns speaker=FILE (or session, split)`,
    );
  }
  return {
    label,
    text,
    speaker,
    session,
    split: others,
    dialogue: named('dialogue', []),
    turn: named('turn', []),
  };
}

/** Utterances that only text, utt2spk or the like know. */
function reportStrangers(
  roles: Roles,
  segments: ReadonlyMap<string, unknown>,
  owner: string,
  rows: RowCollector,
): void {
  for (const table of Object.values(roles)) {
    for (const [utterance, { source }] of table ?? []) {
      if (!segments.has(utterance)) {
        rows.report(
          'layout',
          'warning',
          source,
          `an utterance of ${owner}`,
          `'${utterance}', which it lacks`,
        );
      }
    }
  }
}

function addUtterance(
  context: FolderContext,
  roles: Roles,
  utterance: string,
  segment: Part,
  path: string,
  cut: boolean,
): void {
  const { dataset, split, rows } = context;
  const entry = (role: Role): KaldiEntry | undefined => roles[role]?.get(utterance);
  const value = (role: Role): string | null => entry(role)?.value.trim() || null;
  if (roles.speaker !== null && value('speaker') === null) {
    rows.report('schema', 'error', segment.source, `a speaker of ${utterance}`, 'none');
  }
  const turn = value('turn');
  if (turn !== null && !/^\d+$/.test(turn)) {
    rows.report('schema', 'error', entry('turn')?.source ?? segment.source, 'a whole number', `'${turn}'`);
    return;
  }
  const row = {
    id: split === null ? utterance : `${split}/${utterance}`,
    path,
    start: segment.start,
    end: segment.end,
    channel: segment.channel,
    label: value('label'),
    text: entry('text')?.value ?? '',
    speaker: value('speaker'),
    split: value('split') ?? split,
    session: value('session'),
    // parts of one recording belong together
    dialogue: value('dialogue') ?? (cut ? segment.recording : null),
    turn: turn === null ? null : Number(turn),
  };
  addTableRow(rows, dataset, row, segment.source);
}
