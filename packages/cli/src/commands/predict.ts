import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { UserError, UserErrors } from '@lsgmer/datasets';
import { type LabelledId, type Prediction, Scorer, type TrainedHead } from '@lsgmer/train';
import type { CommandModule } from 'yargs';
import { type Context, createContext } from '../context.ts';
import { EXIT } from '../exit.ts';
import { encodeNew } from '../new-features.ts';
import { type NewUtterance, problemOfNew, readNewUtterances, utteranceOf } from '../new-utterances.ts';
import {
  chooseTrained,
  engineOfRun,
  HEAD_FILE_OPTION,
  RULE_OPTION,
  RUN_POSITIONAL,
  type TrainedOptions,
} from '../trained-choice.ts';
import { headedTable } from '../ui/table.ts';

interface PredictOptions extends TrainedOptions {
  audio?: string | undefined;
  text?: string | undefined;
  table?: string | undefined;
  missing: 'error' | 'mask';
  device: 'auto' | 'cpu' | 'cuda' | 'webgpu';
  threads?: number | undefined;
  json: boolean;
}

export const predictCommand: CommandModule<object, PredictOptions> = {
  command: 'predict <run>',
  describe: 'new recordings with their texts, through the encoders and a trained head',
  builder: (y) =>
    y
      .positional('run', RUN_POSITIONAL)
      .option('audio', { type: 'string', describe: 'an audio or video file' })
      .option('text', { type: 'string', describe: 'what is said in it' })
      .option('table', {
        type: 'string',
        describe: 'CSV, TSV or JSONL with columns file, text and, if you like, id',
      })
      .option('missing', {
        choices: ['error', 'mask'] as const,
        default: 'error' as const,
        describe: 'a modality that is not given: refuse, or let the head do without',
      })
      .option('select', RULE_OPTION)
      .option('head', HEAD_FILE_OPTION)
      .option('device', {
        choices: ['auto', 'cpu', 'cuda', 'webgpu'] as const,
        default: 'auto' as const,
        describe: 'where the encoders run',
      })
      .option('threads', { type: 'number', describe: 'threads (default: all cores)' })
      .option('json', { type: 'boolean', default: false, describe: 'as JSON on stdout' })
      .example('$0 predict 3f2a91c0 --audio call.wav --text "I said no."', '')
      .example('$0 predict 3f2a91c0 --table calls.csv --json', ''),
  handler: async (options) => {
    const context = createContext(options);
    const trained = await chooseTrained(context, options);
    const result = await runPrediction(context, trained, asked(context, options), options);
    if (options.json) context.print(JSON.stringify(result));
    else context.print(predictionText(result));
    if (result.failed.length > 0) process.exitCode = EXIT.data;
  },
};

/** What is asked for, on the command line or in a table. @throws UserError where it is neither, or both */
function asked(context: Context, { audio, text, table }: PredictOptions): NewUtterance[] {
  if (table !== undefined) {
    if (audio !== undefined || text !== undefined)
      throw new UserError('--table has files and texts of its own: leave out --audio and --text');
    return readNewUtterances(resolve(context.folder, table));
  }
  if (audio === undefined && text === undefined)
    throw new UserError('predict what? Give --audio and --text, or --table');
  const file = audio === undefined ? null : resolve(context.folder, audio);
  return [{ name: file === null ? 'text' : basename(file), file, text: text ?? null }];
}

interface PredictionResult {
  readonly run: string;
  readonly rule: string;
  readonly classes: readonly string[];
  readonly rows: readonly {
    readonly name: string;
    readonly label: string;
    readonly probabilities: { readonly [name: string]: number };
  }[];
  readonly failed: readonly { readonly name: string; readonly reason: string }[];
  readonly seconds: { readonly encoders: number; readonly head: number };
}

async function runPrediction(
  context: Context,
  trained: TrainedHead,
  wanted: readonly NewUtterance[],
  options: PredictOptions,
): Promise<PredictionResult> {
  const { run, classes } = trained;
  const { text, audio, map } = run.identity.features;
  const reads = { text: text !== undefined, audio: audio !== undefined || map !== undefined };
  const masking = options.missing === 'mask';
  const problems = wanted.map((one) => problemOfNew(one, reads, masking));
  const single = options.table === undefined;
  if (single && problems[0] !== undefined) throw new UserError(problems[0]);
  const utterances = wanted.map(utteranceOf);
  const sound = utterances.filter((_, i) => problems[i] === undefined);
  if (sound.length === 0) throw new UserErrors(problems.flatMap((one) => one ?? []));
  const folder = mkdtempSync(join(tmpdir(), 'lsgmer-predict-'));
  let scorer: Scorer | undefined;
  try {
    const started = performance.now();
    const { device, threads } = options;
    const encoded = await encodeNew(context, run, sound, { store: folder, device, threads });
    const encoders = (performance.now() - started) / 1000;
    try {
      scorer = await Scorer.open(trained, encoded.sources, {
        engine: await engineOfRun(context, run, options.threads),
      });
      // labels are not known: 0 stands in their place and is not looked at
      const joined = scorer.join(
        sound.map(({ id }): LabelledId => ({ id, label: 0 })),
        masking,
      );
      const lost = new Map<string, string>(joined.missing.map(({ id, reason }) => [id, reason]));
      // a recording that was given and cannot be read is no missing modality
      for (const [id, reason] of encoded.failed) lost.set(id, reason);
      const began = performance.now();
      const predictions = await scorer.score(joined);
      const head = (performance.now() - began) / 1000;
      const known = new Map(predictions.map((one) => [one.id, one]));
      const failed = wanted.flatMap(({ name }, i) => {
        const reason = problems[i] ?? lost.get(utterances[i]?.id ?? '');
        return reason === undefined ? [] : [{ name, reason }];
      });
      if (single && failed[0] !== undefined)
        throw new UserError(`${wanted[0]?.file ?? 'text'}: ${failed[0].reason}`);
      return {
        run: run.id,
        rule: trained.rule,
        classes,
        rows: wanted.flatMap(({ name }, i) => {
          const { id } = utterances[i] as { id: string };
          const said = known.get(id);
          return said === undefined || lost.has(id) ? [] : [rowOf(name, said, classes)];
        }),
        failed,
        seconds: { encoders, head },
      };
    } finally {
      await scorer?.close();
      encoded.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function rowOf(name: string, said: Prediction, classes: readonly string[]): PredictionResult['rows'][number] {
  return {
    name,
    label: classes[said.prediction] as string,
    probabilities: Object.fromEntries(classes.map((one, k) => [one, said.probabilities[k] as number])),
  };
}

function predictionText({ run, rule, classes, rows, failed, seconds }: PredictionResult): string {
  const share = (value: number | undefined): string => (100 * (value ?? 0)).toFixed(1);
  const table = headedTable(
    ['', 'label', ...classes.map((name) => `p ${name} %`)],
    rows.map(({ name, label, probabilities }) => [
      name,
      label,
      ...classes.map((one) => share(probabilities[one])),
    ]),
  );
  const lines = [
    ...(rows.length === 0 ? [] : [table]),
    ...failed.map(({ name, reason }) => `${name}: NOT predicted: ${reason}`),
    `run ${run}, epoch taken: ${rule}; encoders ${seconds.encoders.toFixed(2)} s, head ${(1000 * seconds.head).toFixed(0)} ms`,
  ];
  return lines.join('\n');
}
