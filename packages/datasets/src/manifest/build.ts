import { join } from 'node:path';
import type { Json } from '../base/canonical-json.ts';
import { UserError } from '../base/errors.ts';
import type { Reporter } from '../base/reporter.ts';
import { rootFolder, type Source } from '../corpora/adapter.ts';
import { adapterFor } from '../corpora/registry.ts';
import type { TableOptions } from '../corpora/table-options.ts';
import type { Card } from './card.ts';
import { sortFindings, type Finding } from './finding.ts';
import { writeManifest, type Manifest } from './manifest-file.ts';
import { MediaCache } from './media-cache.ts';
import { readMedia, type MediaMode } from './media.ts';
import { applyTextTags, TEXT_NORMALISATION, type TextTags } from './normalise.ts';
import { replaceTexts, type TextReplacement } from './text-source.ts';
import { compareIds, type Utterance } from './utterance.ts';

export interface CollectOptions {
  readonly dataset: string;
  /** Folder of the corpus (for a table also the table itself). */
  readonly root: string;
  /** The dataset's card; null for a table corpus, which derives its own. */
  readonly card: Card | null;
  /** Default: `hash`. */
  readonly media?: MediaMode;
  /** Store whose media cache saves reading unchanged files again; null for none. */
  readonly store: string | null;
  readonly table?: TableOptions;
  /** CSV, TSV or JSONL file whose texts replace the corpus's by id. */
  readonly textFrom?: string;
  /** Default: `keep`. */
  readonly textTags?: TextTags;
  readonly reporter: Reporter;
  readonly signal?: AbortSignal;
}

/** A corpus as it is on disk, ready to be written as a manifest or validated. */
export interface Collected {
  readonly card: Card;
  /** Sorted by id, each id once. */
  readonly utterances: Utterance[];
  /** What the annotation files and the media showed; `validateManifest` adds what the card says. */
  readonly problems: Finding[];
  readonly sources: ReadonlyMap<string, Source>;
  /** Name and digest of the file that replaced texts; null where none did. */
  readonly textSource: string | null;
  /** Files whose content did not have to be read again. */
  readonly unchangedMedia: number;
}

/**
 * Reads a corpus: annotation files through the card's adapter, then the media.
 * @throws UserError where the root is missing, unreadable or not of the corpus's layout; Interrupted on the signal.
 */
export async function collectCorpus(options: CollectOptions): Promise<Collected> {
  const { dataset, card, reporter } = options;
  if (card !== null && card.name !== dataset) {
    throw new UserError(`the card is of dataset ${card.name}, not of ${dataset}: name the one that is meant`);
  }
  const prepare = adapterFor(card?.adapter ?? 'table');
  const prepared = prepare(options.root, {
    dataset,
    carded: card !== null,
    ...(options.table && { table: options.table }),
  });
  const own = card ?? prepared.card;
  if (own === undefined) throw new Error(`the adapter of ${dataset} derived no card`);
  const root = rootFolder(options.root, dataset);
  const cache = new MediaCache(
    options.store === null ? null : join(options.store, dataset, 'media-cache.json'),
    root,
  );
  const texts = withTexts(prepared.utterances, options);
  const rows = texts.utterances.sort((a, b) => compareIds(a.id, b.id));
  try {
    const mode = options.media ?? 'hash';
    const media = await readMedia(rows, { root, mode, cache, reporter, signal: options.signal });
    return {
      card: own,
      utterances: media.utterances,
      problems: sortFindings([
        ...prepared.problems,
        ...texts.problems,
        ...media.problems.map((one) => placed(one, prepared.sources)),
      ]),
      sources: prepared.sources,
      textSource: texts.source,
      unchangedMedia: cache.hits,
    };
  } finally {
    cache.save();
  }
}

/** The rows with the texts that are asked for. */
function withTexts(
  rows: readonly Utterance[],
  { dataset, textFrom, textTags = 'keep' }: CollectOptions,
): Omit<TextReplacement, 'source'> & { source: string | null } {
  const texts =
    textFrom === undefined
      ? { utterances: [...rows], problems: [], source: null }
      : replaceTexts(rows, dataset, textFrom);
  const utterances = texts.utterances.map((row) => ({ ...row, text: applyTextTags(row.text, textTags) }));
  return { ...texts, utterances };
}

export interface BuildOptions extends CollectOptions {
  readonly store: string;
  /** Version of the tool, recorded in manifest.json. */
  readonly tool: string;
}

export interface Built extends Collected {
  readonly manifest: Manifest;
}

/** Reads a corpus and writes its manifest into the store. Throws as `collectCorpus` and `writeManifest` do. */
export async function buildManifest(options: BuildOptions): Promise<Built> {
  const collected = await collectCorpus(options);
  const { card, utterances } = collected;
  const manifest = writeManifest(options.store, {
    card,
    utterances,
    options: buildOptions(options, collected.textSource),
    tool: options.tool,
  });
  return { ...collected, manifest };
}

function buildOptions(options: BuildOptions, textFrom: string | null): Record<string, Json> {
  const table = options.table === undefined ? {} : { table: options.table as unknown as Json };
  return {
    media: options.media ?? 'hash',
    textNormalisation: TEXT_NORMALISATION,
    textTags: options.textTags ?? 'keep',
    ...(textFrom === null ? {} : { textFrom }),
    ...table,
  };
}

/** A segment that does not fit its recording is wrong where the corpus states its times, not in the recording. */
function placed(finding: Finding, sources: ReadonlyMap<string, Source>): Finding {
  const source = finding.kind === 'segment' && finding.id !== null ? sources.get(finding.id) : undefined;
  return source === undefined ? finding : { ...finding, file: source.file, line: source.line };
}
