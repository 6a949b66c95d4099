import type { Source } from '../corpora/adapter.ts';
import { UserError } from '../base/errors.ts';
import { canonicalJson, type Json } from '../base/canonical-json.ts';
import type { Card, LeakAspect, Protocol } from './card.ts';
import type { Finding } from './finding.ts';
import { planFolds } from './folds.ts';
import { LeakIndex, type AspectLeak, type FoldLeakage } from './leakage.ts';
import { describeProtocol, sharedByDesign } from './protocol.ts';
import { applyTask } from './task.ts';
import type { Utterance } from './utterance.ts';

/** Leakage of one protocol of the card, on the first task that has it. */
export interface TaskLeakage {
  readonly task: string;
  readonly protocol: Protocol;
  readonly folds: readonly FoldLeakage[];
}

/** Totals of one aspect over the folds of a protocol: a row is held out once, so that rows add up. */
export interface LeakTotal {
  readonly aspect: LeakAspect;
  readonly part: 'dev' | 'test';
  readonly rows: number;
  readonly ofRows: number;
  readonly anyLength?: number;
  /** Distinct values over all folds. */
  readonly values: number;
  readonly byDesign: boolean;
}

/**
 * What the sides of the folds share, for each protocol of the card's tasks. A task whose folds cannot be cut in this
 * copy (a part of a corpus may lack a split or a session) has none.
 */
export function taskLeakage(
  card: Card,
  utterances: readonly Utterance[],
  sources: ReadonlyMap<string, Source> | undefined,
): TaskLeakage[] {
  const seen = new Set<string>();
  return card.tasks.flatMap((task) => {
    const key = canonicalJson(task.protocol as unknown as Json);
    if (seen.has(key)) return [];
    seen.add(key);
    const rows = uniqueIds(applyTask(task, utterances).rows.map((row) => row.utterance));
    try {
      const folds = planFolds(task.protocol, rows);
      const index = new LeakIndex(rows, sources);
      const leakage = folds.map((fold) => index.compare(fold));
      return [{ task: task.name, protocol: task.protocol, folds: leakage }];
    } catch (error) {
      if (error instanceof UserError) return [];
      throw error;
    }
  });
}

/** Ids that are there twice are reported elsewhere: folds need each once. */
function uniqueIds(rows: readonly Utterance[]): Utterance[] {
  return [...new Map(rows.map((row) => [row.id, row])).values()];
}

/** Totals over the folds, in the order of the aspects, without those that nothing is shared of. */
export function leakTotals({ protocol, folds }: TaskLeakage): LeakTotal[] {
  const groups = new Map<string, AspectLeak[]>();
  for (const leak of folds.flatMap((fold) => fold.leaks)) {
    const key = `${leak.aspect} ${leak.part}`;
    groups.set(key, [...(groups.get(key) ?? []), leak]);
  }
  const design = sharedByDesign(protocol);
  return [...groups.values()].flatMap((leaks) => {
    const { aspect, part, anyLength } = leaks[0] as AspectLeak;
    const sum = (read: (leak: AspectLeak) => number) => leaks.reduce((total, leak) => total + read(leak), 0);
    const any = anyLength === undefined ? {} : { anyLength: sum((leak) => leak.anyLength ?? 0) };
    const rows = sum((leak) => leak.rows);
    if (rows === 0 && (any.anyLength ?? 0) === 0) return [];
    const values = new Set(leaks.flatMap((leak) => [...leak.trainingRows.keys()])).size;
    const ofRows = sum((leak) => leak.ofRows);
    return [{ aspect, part, rows, ofRows, ...any, values, byDesign: design.includes(aspect) }];
  });
}

/** `fixed split: train against test: test: 9 of 2610 rows share their text (five words or more), 403 at any length` */
export function describeLeakTotal(total: LeakTotal): string {
  const { aspect, part, rows, ofRows, anyLength, values, byDesign } = total;
  const what: Record<LeakAspect, string> = {
    speaker: `have a speaker of training (${values} speakers)`,
    dialogue: `are of a dialogue of training (${values} dialogues)`,
    recording: `are of a recording or episode of training (${values} of them)`,
    text: `have a text of training (five or more words; ${anyLength ?? rows} at any length)`,
    span: 'have a time span of training',
    audio: 'have a recording of training',
  };
  return `${part}: ${rows} of ${ofRows} rows ${what[aspect]}${byDesign ? ', by design' : ''}`;
}

/** Aspects that are told by value: a row each would say the same hundreds of times. */
const BY_VALUE: readonly LeakAspect[] = ['speaker', 'dialogue', 'recording'];

/** One finding for each speaker, dialogue or recording on both sides of a fold, and for each text, span and audio a row. */
export function leakFindings(
  leakage: readonly TaskLeakage[],
  sources: ReadonlyMap<string, Source> | undefined,
): Finding[] {
  return leakage.flatMap(({ task, protocol, folds }) => {
    const design = sharedByDesign(protocol);
    return folds.flatMap(({ fold, leaks }) =>
      leaks.flatMap((leak) => {
        const place = `task ${task} (${describeProtocol(protocol)}), fold ${fold}`;
        const level = design.includes(leak.aspect) ? ('known' as const) : ('warning' as const);
        const found = BY_VALUE.includes(leak.aspect) ? valueFindings(leak, place) : rowFindings(leak, place);
        return found.map((one): Finding => ({ ...one, level, ...placed(one, sources) }));
      }),
    );
  });
}

type Unplaced = Omit<Finding, 'level' | 'line'>;

function placed(
  finding: Unplaced,
  sources: ReadonlyMap<string, Source> | undefined,
): Pick<Finding, 'line' | 'file'> {
  const source = finding.id === null ? undefined : sources?.get(finding.id);
  return { file: source?.file ?? finding.file, line: source?.line ?? null };
}

function valueFindings(leak: AspectLeak, place: string): Unplaced[] {
  const held = new Map<string, number>();
  for (const { value } of leak.hits) held.set(value, (held.get(value) ?? 0) + 1);
  return [...held].map(([value, rows]) => ({
    kind: `leak-${leak.aspect}` as const,
    id: null,
    file: place,
    expected: `${leak.aspect} ${value} on one side`,
    found: `${rows} ${leak.part} and ${leak.trainingRows.get(value) ?? 0} training rows`,
  }));
}

function rowFindings(leak: AspectLeak, place: string): Unplaced[] {
  return leak.hits.map(({ id, value, other }) => ({
    kind: `leak-${leak.aspect}` as const,
    id,
    file: place,
    expected: `no ${leak.aspect} of training in ${leak.part}`,
    found: `that of ${other}${leak.aspect === 'audio' ? '' : `: ${value}`}`,
  }));
}
