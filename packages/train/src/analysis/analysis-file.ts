import {
  type Column,
  decodeTable,
  encodeTable,
  float32Column,
  int32Column,
  bytesAt,
  floatsAt,
  listColumn,
  utf8Column,
} from './arrow-columns.ts';
import type { Relative } from './relative.ts';

/** Version of analysis.arrow and labels.arrow that this code writes and reads. */
export const ANALYSIS_FORMAT = 1;

/** Keys of the schemas' metadata. */
export const ANALYSIS_META = {
  format: 'lsgmer.format',
  run: 'lsgmer.run',
  rule: 'lsgmer.rule',
  classes: 'lsgmer.classes',
} as const;

/** What a head did with one test utterance. Parts that the head does not have are empty. */
export interface AnalysisRow {
  readonly id: string;
  readonly fold: string;
  /** Index of the true class, and of the predicted one. */
  readonly label: number;
  readonly prediction: number;
  /** Real tokens and frames; 0 where the head reads none, or the modality is missing. */
  readonly tokens: number;
  readonly frames: number;
  /** [d] */
  readonly fused: Float32Array;
  /** Weights of audio and text, [2]. */
  readonly gate: Float32Array;
  /** Attention of each label over tokens and frames, mean over heads: N rows. */
  readonly textLabel: Relative;
  readonly audioLabel: Relative;
  /** What each token receives from the frames, each frame from the tokens (mean over heads and real steps): one row. */
  readonly textCross: Relative;
  readonly audioCross: Relative;
}

/** What the whole table is about. */
export interface AnalysisAbout {
  readonly run: string;
  /** The rule that chose the epoch: `last`, `dev`, `oracle-test`. */
  readonly rule: string;
  readonly classes: readonly string[];
}

const RELATIVES = [
  ['text_label', 'textLabel'],
  ['audio_label', 'audioLabel'],
  ['text_cross', 'textCross'],
  ['audio_cross', 'audioCross'],
] as const;

const COLUMNS = [
  'id',
  'fold',
  'label',
  'prediction',
  'n_tokens',
  'n_frames',
  'fused',
  'gate',
  ...RELATIVES.flatMap(([name]) => [name, `${name}_max`]),
];

/**
 * analysis.arrow, an Arrow IPC file with one row an utterance: `id`, `fold` utf8; `label`, `prediction`, `n_tokens`,
 * `n_frames` int32; `fused` list<float32> [d]; `gate` list<float32> [2] (audio, text); `text_label` list<uint8>
 * [N * n_tokens] row-major, 255 = the row's maximum, which `text_label_max` list<float32> [N] holds; `audio_label` and
 * `audio_label_max` likewise over frames; `text_cross` list<uint8> [n_tokens] with `text_cross_max` float32, and
 * `audio_cross`, `audio_cross_max` over frames.
 */
export function encodeAnalysis(rows: readonly AnalysisRow[], about: AnalysisAbout): Uint8Array {
  const columns: Column[] = [
    utf8Column(
      'id',
      rows.map((row) => row.id),
    ),
    utf8Column(
      'fold',
      rows.map((row) => row.fold),
    ),
    ...(
      [
        ['label', 'label'],
        ['prediction', 'prediction'],
        ['n_tokens', 'tokens'],
        ['n_frames', 'frames'],
      ] as const
    ).map(([name, key]) =>
      int32Column(
        name,
        rows.map((row) => row[key]),
      ),
    ),
    listColumn(
      'fused',
      'float32',
      rows.map((row) => row.fused),
    ),
    listColumn(
      'gate',
      'float32',
      rows.map((row) => row.gate),
    ),
    ...RELATIVES.flatMap(([name, key]) => {
      const values = listColumn(
        name,
        'uint8',
        rows.map((row) => row[key].values),
      );
      if (key === 'textCross' || key === 'audioCross') {
        const tops = rows.map((row) => row[key].max[0] ?? 0);
        return [values, float32Column(`${name}_max`, tops)];
      }
      const tops = rows.map((row) => row[key].max);
      return [values, listColumn(`${name}_max`, 'float32', tops)];
    }),
  ];
  return encodeTable(columns, analysisMetadata(about));
}

export function analysisMetadata({ run, rule, classes }: AnalysisAbout): Map<string, string> {
  return new Map([
    [ANALYSIS_META.format, String(ANALYSIS_FORMAT)],
    [ANALYSIS_META.run, run],
    [ANALYSIS_META.rule, rule],
    [ANALYSIS_META.classes, JSON.stringify(classes)],
  ]);
}

/**
 * Reads analysis.arrow back.
 * @throws Error for a file that is none, or of another format; callers add its name
 */
export function decodeAnalysis(bytes: Uint8Array): {
  readonly about: AnalysisAbout;
  readonly rows: AnalysisRow[];
} {
  const { rows, metadata, column } = decodeTable(bytes, COLUMNS);
  const about = readMetadata(metadata);
  const number = (name: string, row: number): number => column(name).get(row) as number;
  const relativeAt = (name: string, row: number): Relative => {
    const top = column(`${name}_max`).get(row);
    const values = bytesAt(column(name), row);
    if (typeof top !== 'number') return { values, max: floatsAt(column(`${name}_max`), row) };
    return { values, max: values.length === 0 ? new Float32Array(0) : Float32Array.of(top) };
  };
  return {
    about,
    rows: Array.from({ length: rows }, (_, i) => ({
      id: column('id').get(i) as string,
      fold: column('fold').get(i) as string,
      label: number('label', i),
      prediction: number('prediction', i),
      tokens: number('n_tokens', i),
      frames: number('n_frames', i),
      fused: floatsAt(column('fused'), i),
      gate: floatsAt(column('gate'), i),
      textLabel: relativeAt('text_label', i),
      audioLabel: relativeAt('audio_label', i),
      textCross: relativeAt('text_cross', i),
      audioCross: relativeAt('audio_cross', i),
    })),
  };
}

/** @throws Error for another format, or none */
export function readMetadata(metadata: ReadonlyMap<string, string>): AnalysisAbout {
  const format = metadata.get(ANALYSIS_META.format);
  if (format !== String(ANALYSIS_FORMAT))
    throw new Error(`format ${format ?? '(none)'}, expected ${ANALYSIS_FORMAT}`);
  return {
    run: metadata.get(ANALYSIS_META.run) ?? '',
    rule: metadata.get(ANALYSIS_META.rule) ?? '',
    classes: JSON.parse(metadata.get(ANALYSIS_META.classes) ?? '[]') as string[],
  };
}
