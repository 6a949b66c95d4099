import { type FeatureSet, openFeatureSet, UserError } from '@lsgmer/datasets';
import type { AnalysisRow, GroupScores, Relative } from '@lsgmer/train';
import { readAnalysis, referenceRuns, type RunAnalysis } from '../gather/analysis.ts';
import { cellsOf, type ReportData } from '../gather/report-data.ts';
import type {
  AttentionAbout,
  AttentionSteps,
  ExplorerIndex,
  ExplorerUtterance,
  UtteranceAttention,
} from './format.ts';

/** Utterances whose attention is loaded together. */
export const CHUNK = 64;

export interface ExplorerData {
  readonly index: ExplorerIndex;
  /** Attention of utterances `CHUNK * i` on, one chunk at a time. */
  readonly chunks: () => Generator<{
    readonly name: string;
    readonly data: { [id: string]: UtteranceAttention };
  }>;
}

/**
 * Gathers what the explorer shows.
 * @param stores where token spans and frame times are; what is not there is left out, with a line each
 */
export function explorerData(
  data: ReportData,
  stores: readonly string[],
  notices: readonly string[],
  warn: (line: string) => void,
): ExplorerData {
  const analyses =
    data.guided === undefined ? [] : referenceRuns(data.guided).flatMap((run) => readAnalysis(run) ?? []);
  const rows = new Map(analyses.flatMap((one) => one.rows.map((row) => [row.id, row] as const)));
  const [first] = analyses;
  const text = first && openSet(data, stores, first, 'text', warn);
  const audio = first && openSet(data, stores, first, 'audio', warn);
  const order = utterancesOf(data);
  const withRows = order.filter((one) => rows.has(one.id));
  const chunkOf = new Map(withRows.map((one, i) => [one.id, Math.floor(i / CHUNK)]));
  const about: AttentionAbout | null =
    first === undefined || data.guided === undefined
      ? null
      : {
          variant: data.guided.group.label,
          seed: first.run.identity.seed,
          rule: first.about.rule,
          residual: (data.guided.group.config['cross.residual'] ?? 'none') !== 'none',
          labelsAsk: (data.guided.group.config['label.query'] ?? 'labels') === 'labels',
          frames: timesOf(audio),
        };
  return {
    index: {
      dataset: data.card.name,
      task: data.task.name,
      classes: data.classes,
      rule: data.select,
      notices,
      variants: data.groups.map(({ group }) => ({ label: group.label, seeds: group.seeds })),
      attention: about,
      utterances: order.map((one) => ({ ...one, chunk: chunkOf.get(one.id) ?? null })),
    },
    chunks: function* () {
      for (let i = 0; i * CHUNK < withRows.length; i++) {
        const some = withRows.slice(i * CHUNK, (i + 1) * CHUNK);
        const entries = some.map(({ id }) => [id, attentionOf(rows.get(id) as AnalysisRow, text)] as const);
        yield { name: `attention-${i}`, data: Object.fromEntries(entries) };
      }
      text?.close();
      audio?.close();
    },
  };
}

/** Every tested utterance, by fold and id, with what each variant and seed said. */
function utterancesOf(data: ReportData): Omit<ExplorerUtterance, 'chunk'>[] {
  const all = new Map<string, { fold: string; label: number }>();
  const byGroup = data.groups.map((row) => saidBy(row, all));
  return [...all]
    .sort(([a, x], [b, y]) => compare(x.fold, y.fold) || compare(a, b))
    .map(([id, { fold, label }]) => {
      const utterance = data.utterances.get(id);
      const said = byGroup.map((bySeed, g) =>
        (data.groups[g] as GroupScores).group.seeds.map(
          (seed) => bySeed.get(seed)?.get(id)?.prediction ?? null,
        ),
      );
      const truth = byGroup.map((bySeed) => {
        const p = [...bySeed.values()].flatMap((mine) => mine.get(id)?.truth ?? []);
        return p.length === 0 ? null : Math.round((1000 * p.reduce((a, b) => a + b, 0)) / p.length) / 1000;
      });
      return {
        id,
        fold,
        speaker: utterance?.speaker ?? null,
        text: utterance?.text ?? null,
        seconds: utterance?.media?.seconds ?? null,
        label,
        said,
        truth,
      };
    });
}

type Said = ReadonlyMap<
  number,
  ReadonlyMap<string, { readonly prediction: number; readonly truth: number | undefined }>
>;

function saidBy(row: GroupScores, all: Map<string, { fold: string; label: number }>): Said {
  const bySeed = new Map<number, Map<string, { prediction: number; truth: number | undefined }>>();
  for (const { seed, fold, predictions } of cellsOf(row)) {
    const mine = bySeed.get(seed) ?? new Map<string, { prediction: number; truth: number | undefined }>();
    bySeed.set(seed, mine);
    for (const { id, label, prediction, probabilities } of predictions) {
      all.set(id, { fold, label });
      mine.set(id, { prediction, truth: probabilities[label] });
    }
  }
  return bySeed;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function attentionOf(row: AnalysisRow, text: FeatureSet | undefined): UtteranceAttention {
  const [audio, words] = row.gate;
  return {
    gate: audio === undefined || words === undefined ? null : [digits(audio), digits(words)],
    prediction: row.prediction,
    tokens: stepsOf(row.tokens, row.textLabel, row.textCross),
    spans: spansOf(row, text),
    frames: stepsOf(row.frames, row.audioLabel, row.audioCross),
  };
}

function stepsOf(n: number, label: Relative, cross: Relative): AttentionSteps | null {
  if (n === 0) return null;
  return {
    n,
    label: label.values.length === 0 ? null : base64(label.values),
    labelMax: [...label.max].map(digits),
    cross: cross.values.length === 0 ? null : base64(cross.values),
    crossMax: digits(cross.max[0] ?? 0),
  };
}

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
const digits = (value: number): number => Number(value.toPrecision(4));

/** Spans of the run's own tokens; null where the set has other ones now. */
function spansOf(row: AnalysisRow, text: FeatureSet | undefined): number[] | null {
  if (text === undefined || row.tokens === 0 || !text.has(row.id)) return null;
  const { n, tokenSpans } = text.read(row.id);
  return n === row.tokens && tokenSpans !== undefined ? [...tokenSpans] : null;
}

function openSet(
  data: ReportData,
  stores: readonly string[],
  { run }: RunAnalysis,
  input: 'text' | 'audio',
  warn: (line: string) => void,
): FeatureSet | undefined {
  const used = run.identity.features[input];
  if (used === undefined) return undefined;
  const { feature, fingerprint } = used;
  try {
    return openFeatureSet({ stores: [...stores], dataset: data.card.name, feature, fingerprint });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const lost = input === 'text' ? 'tokens are shown by number' : 'frames are shown by number';
    warn(`${feature}@${fingerprint.slice(0, 8)} is not in the store, ${lost}: ${error.message}`);
    return undefined;
  }
}

function timesOf(audio: FeatureSet | undefined): AttentionAbout['frames'] {
  const { firstSeconds = null, stepSeconds = null } = audio?.spec ?? {};
  return firstSeconds === null || stepSeconds === null ? null : { first: firstSeconds, step: stepSeconds };
}
