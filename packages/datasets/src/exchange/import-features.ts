import { existsSync, readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { writeFileAtomic } from '../base/atomic-file.ts';
import type { Json } from '../base/canonical-json.ts';
import { Interrupted, UserError, UserErrors } from '../base/errors.ts';
import { type Reporter, silent } from '../base/reporter.ts';
import type { Utterance } from '../manifest/utterance.ts';
import { openFeatureSetWriter } from '../store/feature-set-writer.ts';
import { type FeatureDtype, type FeatureSpec, IMPORTED } from '../store/feature-spec.ts';
import { fingerprintOf } from '../store/fingerprint.ts';
import { readFeatureSetIndex } from '../store/index-union.ts';
import { setFolder, specPath } from '../store/layout.ts';
import { planExtraction } from '../store/plan.ts';
import { parseSpec } from '../store/shard-schema.ts';
import type { ArrayLayout, ForeignSource } from './foreign-array.ts';
import { contentDigest, type RefusedArray, rowDigest, rowOf, type Scan, scanArrays } from './import-scan.ts';
import { IdMatcher } from './match-ids.ts';
import { refuseTakenName, type ReplacedSet, trashReplaced } from './taken-name.ts';

/**
 * Input of a row whose recording nobody could look at when it was imported: whether it has changed since cannot be
 * said.
 */
export const UNCHECKED_INPUT = 'unchecked';

export interface ImportOptions {
  readonly dataset: string;
  /** Name that the feature gets. */
  readonly feature: string;
  readonly kind: FeatureSpec['kind'];
  readonly source: ForeignSource;
  /** Of one manifest: those that may be meant, and with the others, those that a name may contradict. */
  readonly utterances: readonly Utterance[];
  /** Only utterances of this split are meant. */
  readonly split?: string | undefined;
  /** Digest of what was encoded, so that a change of text or recording is noticed later. */
  readonly inputOf: (utterance: Utterance) => string;
  readonly store: string;
  readonly readStores?: readonly string[];
  readonly part?: string;
  readonly layout: ArrayLayout;
  readonly dtype: FeatureDtype;
  readonly onOverflow: 'error' | 'float32';
  /** Arrays that cannot be stored, where the utterance is known: refuse the import, or quarantine it. */
  readonly onInvalid: 'error' | 'quarantine';
  /** Arrays whose name means no utterance. */
  readonly onUnknown: 'error' | 'skip';
  /** Centre of step 0 and distance of steps; null where that is not known. */
  readonly firstSeconds: number | null;
  readonly stepSeconds: number | null;
  /** What the features' encoder was trained on, where it is told; null takes a former note away. */
  readonly trainedOn?: string | undefined;
  /** Written beside the computation, not part of the fingerprint. */
  readonly provenance: { readonly [key: string]: Json };
  /** Earlier imports of this name go to the trash (of this day), and do not stand in the way. */
  readonly replace?: { readonly now: Date } | undefined;
  readonly shardBytes?: number;
  readonly reporter?: Reporter;
  readonly signal?: AbortSignal | undefined;
}

/** What an import would do, or did. */
export interface ImportReport {
  readonly spec: FeatureSpec;
  readonly folder: string;
  /** Earlier imports of the name, which go to the trash. */
  readonly replaced: readonly ReplacedSet[];
  /** Utterances that get, or have, a feature of this import. */
  readonly rows: number;
  /** Of these, written by this run. */
  readonly written: number;
  /** Ids without a feature, in the manifest's order. */
  readonly missing: readonly string[];
  readonly quarantined: readonly { readonly id: string; readonly reason: string }[];
  /** Arrays that belong to no utterance, and were passed over. */
  readonly skipped: readonly { readonly place: string; readonly reason: string }[];
}

/** Lines of one kind that an error lists. */
const SHOWN = 20;

/**
 * Brings features made elsewhere into the store: looks at everything first, and writes only when nothing is wrong.
 * The same features give the same set, whatever files they came in; run again, it goes on where it was stopped.
 * @param dryRun only looks.
 * @throws UserErrors that list all that is wrong; UserError when the store can't be written; Interrupted.
 */
export async function importFeatures(options: ImportOptions, dryRun = false): Promise<ImportReport> {
  const { utterances, split, store, readStores = [], reporter = silent } = options;
  const meant = split === undefined ? utterances : utterances.filter((one) => one.split === split);
  if (meant.length === 0)
    throw new UserError(`no utterance of ${options.dataset} is of split ${split ?? 'any'}`);
  const ids = (rows: readonly Utterance[]): string[] => rows.map(({ id }) => id);
  const name = {
    ...options,
    stores: [store, ...readStores],
    replace: options.replace !== undefined,
  } as const;
  refuseTakenName(name, null);
  const matcher = new IdMatcher(ids(meant), ids(utterances));
  const scan = await scanArrays({ ...options, matcher, expected: meant.length, reporter });
  const dim = dimensionOf(scan);
  refuse(scan, dim, options);
  const spec = specOf(scan, dim, options);
  const replaced = refuseTakenName(name, spec);
  const quarantined = scan.refused.flatMap(({ id, place, problem }) =>
    id === null ? [] : [{ id, reason: `${place}: ${problem}` }],
  );
  const gone = new Set(quarantined.map(({ id }) => id));
  const report = {
    spec,
    folder: setFolder(store, spec),
    replaced,
    rows: scan.rows.size,
    missing: ids(meant).filter((id) => !scan.rows.has(id) && !gone.has(id)),
    quarantined,
    skipped: scan.refused
      .filter(({ unknown }) => unknown)
      .map(({ place, problem }) => ({ place, reason: problem })),
  };
  const byId = new Map(utterances.map((one) => [one.id, one]));
  const wanted = [...scan.rows.keys(), ...gone].map((id) => ({
    id,
    input: options.inputOf(byId.get(id) as Utterance),
  }));
  const plan = planExtraction(wanted, readFeatureSetIndex([store, ...readStores], spec));
  const todo = new Set([...plan.todo, ...plan.stale]);
  const written = [...todo].filter((id) => scan.rows.has(id)).length;
  if (dryRun) return { ...report, written };
  // the writer gives a set that lost its feature.json a new one
  const lacksSpec = existsSync(report.folder) && !existsSync(specPath(report.folder));
  if (todo.size > 0 || lacksSpec) await writeRows(scan, spec, todo, quarantined, byId, matcher, options);
  noteTraining(report.folder, options.trainedOn);
  if (options.replace !== undefined) trashReplaced(replaced, options.replace.now);
  return { ...report, written };
}

/** Number of values of a step: that of most arrays. @throws UserErrors where there is no array at all */
function dimensionOf({ rows, refused }: Scan): number {
  const counts = new Map<number, number>();
  for (const { dim } of rows.values()) counts.set(dim, (counts.get(dim) ?? 0) + 1);
  const [most] = [...counts].sort(([, a], [, b]) => b - a);
  if (most !== undefined) return most[0];
  throw new UserErrors([
    `nothing can be imported: ${refused.length === 0 ? 'there is no array' : `none of ${refused.length} arrays`}`,
    ...shortened(refused.map(({ place, problem }) => `${place}: ${problem}`)),
  ]);
}

/** Arrays whose steps have another size than the others'. */
function otherDimensions({ rows }: Scan, dim: number, { layout }: ImportOptions): string[] {
  const others = [...rows].filter(([, row]) => row.dim !== dim);
  if (others.length === 0) return [];
  const [steps = 0, ...otherSteps] = new Set([...rows.values()].map(({ n }) => n));
  const agree = otherSteps.length === 0 && steps > 1;
  const hint = !agree
    ? ''
    : layout.transpose
      ? `; without --transpose all would have ${steps}`
      : `; all have equally many steps: if arrays are [values, steps], say --transpose, and all have ${steps}`;
  return [
    `steps have ${dim} values in ${rows.size - others.length} arrays, and other numbers elsewhere: expected one${hint}`,
    ...shortened(others.map(([id, row]) => `${row.place}: ${id}: ${row.dim} values`)),
  ];
}

/** @throws UserErrors with all that is wrong, by kind. */
function refuse(scan: Scan, dim: number, options: ImportOptions): void {
  const { onInvalid, onUnknown } = options;
  const fatal = (one: RefusedArray): boolean =>
    one.unknown ? onUnknown === 'error' : one.id === null || onInvalid === 'error';
  const invalid = scan.refused.filter((one) => !one.unknown && fatal(one));
  const unknown = scan.refused.filter((one) => one.unknown && fatal(one));
  const left = invalid.every(({ id }) => id !== null) ? ' (--invalid quarantine leaves them out)' : '';
  const listed = (head: string, list: readonly RefusedArray[]): string[] =>
    list.length === 0 ? [] : [head, ...shortened(list.map(({ place, problem }) => `${place}: ${problem}`))];
  const problems = [
    ...otherDimensions(scan, dim, options),
    ...listed(`${invalid.length} arrays cannot be stored${left}:`, invalid),
    ...listed(`${unknown.length} arrays belong to no utterance (--unknown skip passes over them):`, unknown),
  ];
  if (problems.length > 0) throw new UserErrors([...problems, 'nothing was imported']);
}

function shortened(lines: readonly string[]): string[] {
  if (lines.length <= SHOWN) return [...lines];
  return [...lines.slice(0, SHOWN), `... and ${lines.length - SHOWN} more`];
}

function specOf(scan: Scan, dim: number, options: ImportOptions): FeatureSpec {
  const { dataset, feature, kind, dtype, firstSeconds, stepSeconds, trainedOn } = options;
  const computation = {
    encoder: IMPORTED,
    version: 1,
    kind,
    dim,
    content: contentDigest(scan.rows),
    firstSeconds,
    stepSeconds,
    stored: dtype,
  };
  return {
    format: 1,
    dataset,
    feature,
    fingerprint: fingerprintOf(computation),
    kind,
    dim,
    dtype,
    firstSeconds,
    stepSeconds,
    computation,
    provenance: { ...options.provenance, ...(trainedOn === undefined ? {} : { trainedOn }) },
  };
}

async function writeRows(
  scan: Scan,
  spec: FeatureSpec,
  todo: ReadonlySet<string>,
  quarantined: ImportReport['quarantined'],
  byId: ReadonlyMap<string, Utterance>,
  matcher: IdMatcher,
  options: ImportOptions,
): Promise<void> {
  const { store, readStores, part = 'import', shardBytes, onOverflow, reporter = silent, signal } = options;
  const writer = openFeatureSetWriter({
    store,
    spec,
    part,
    onOverflow,
    ...(readStores === undefined ? {} : { readStores }),
    ...(shardBytes === undefined ? {} : { shardBytes }),
  });
  const inputOf = (id: string): string => options.inputOf(byId.get(id) as Utterance);
  const idOf = (names: readonly string[]): string | null => {
    const match = matcher.match(names);
    return 'id' in match && todo.has(match.id) ? match.id : null;
  };
  const written = new Set<string>();
  try {
    for (const { id, reason } of quarantined) if (todo.has(id)) writer.quarantine(id, reason, inputOf(id));
    for await (const array of options.source.arrays((names) => idOf(names) !== null)) {
      await setImmediate();
      if (signal?.aborted === true) {
        writer.close();
        throw new Interrupted(
          `stopped after ${written.size} of ${todo.size} rows, which are kept: the same command goes on`,
        );
      }
      // everything that is a problem was known before, or is a change: it shows as a row that is missing below
      if ('problem' in array) continue;
      const id = idOf(array.names);
      const known = id === null ? undefined : scan.rows.get(id);
      if (id === null || known === undefined || known.place !== array.place) continue;
      const row = rowOf(array, options);
      if (rowDigest(row) !== known.digest) continue;
      const { n, values: features, tokenIds, tokenSpans } = row;
      const split = byId.get(id)?.split ?? null;
      writer.append({
        id,
        split,
        n,
        features,
        input: inputOf(id),
        ...(tokenIds && tokenSpans ? { tokenIds, tokenSpans } : {}),
      });
      written.add(id);
      reporter.progress({ task: 'import', done: written.size, total: todo.size, unit: 'rows' });
    }
    const lost = [...todo].filter((id) => scan.rows.has(id) && !written.has(id));
    if (lost.length > 0) {
      throw new UserErrors([
        `${lost.length} arrays changed while they were imported: run the command again when nobody writes them`,
        ...shortened(lost.map((id) => `${scan.rows.get(id)?.place}: ${id}`)),
      ]);
    }
    writer.close();
  } finally {
    writer.discard();
  }
}

/** What a feature's encoder was trained on may be told later, too: it decides no number. */
function noteTraining(folder: string, trainedOn: string | undefined): void {
  const path = specPath(folder);
  if (trainedOn === undefined || !existsSync(path)) return;
  const spec = parseSpec(readFileSync(path, 'utf8'), path);
  if (spec.provenance['trainedOn'] === trainedOn) return;
  const next: FeatureSpec = { ...spec, provenance: { ...spec.provenance, trainedOn } };
  writeFileAtomic(path, `${JSON.stringify(next, null, 2)}\n`);
}
