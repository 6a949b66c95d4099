import { UserError } from '@lsgmer/datasets';
import {
  type ChannelPolicy,
  type DecodePolicy,
  DEFAULT_DECODE_POLICY,
  LENGTH_POLICIES,
  type LengthPolicy,
} from '@lsgmer/extract';
import type { Argv } from 'yargs';
import type { CommonOptions } from '../../context.ts';
import { MODEL_OPTIONS, type ModelOptions } from '../../model-choice.ts';

export interface ExtractCommandOptions extends CommonOptions, ModelOptions {
  dataset?: string | undefined;
  root?: string | undefined;
  where?: string | undefined;
  device: 'auto' | 'cpu' | 'cuda' | 'webgpu';
  threads?: number | undefined;
  part: string;
  'store-dtype': 'float16' | 'float32';
  overflow: 'quarantine' | 'float32';
  long: LengthPolicy['over'];
  'max-seconds': number;
  'overlap-seconds': number;
  channels: ChannelPolicy;
  retry: boolean;
  'dry-run': boolean;
  json: boolean;
}

/** What the demo leaves as it is. */
export const DEFAULT_EXTRACT_OPTIONS: Omit<
  ExtractCommandOptions,
  keyof CommonOptions | keyof ModelOptions | 'dataset' | 'root' | 'where' | 'threads'
> = {
  device: 'auto',
  part: 'main',
  'store-dtype': 'float16',
  overflow: 'quarantine',
  long: DEFAULT_DECODE_POLICY.length.over,
  'max-seconds': DEFAULT_DECODE_POLICY.length.maxSeconds,
  'overlap-seconds': 5,
  channels: DEFAULT_DECODE_POLICY.channels,
  retry: false,
  'dry-run': false,
  json: false,
};

export function extractBuilder(y: Argv): Argv<ExtractCommandOptions> {
  const defaults = DEFAULT_EXTRACT_OPTIONS;
  return y
    .option('dataset', { type: 'string', describe: 'name of the dataset' })
    .option('root', { type: 'string', describe: 'folder of the corpus (remembered)' })
    .option('where', {
      type: 'string',
      describe: "only these utterances: 'split!=dev and seconds<10 and tags.style=improvised'",
    })
    .options(MODEL_OPTIONS)
    .option('device', {
      choices: ['auto', 'cpu', 'cuda', 'webgpu'] as const,
      default: defaults.device,
      describe: 'where the encoders run',
    })
    .option('store-dtype', {
      choices: ['float16', 'float32'] as const,
      default: defaults['store-dtype'],
      describe: 'how features are stored',
    })
    .option('overflow', {
      choices: ['quarantine', 'float32'] as const,
      default: defaults.overflow,
      describe: "rows with values beyond float16's range: leave them out, or keep them as float32",
    })
    .option('threads', {
      type: 'number',
      describe: 'threads of the encoders (default: the cores that this process, or SLURM job, may use)',
    })
    .option('part', {
      type: 'string',
      default: defaults.part,
      describe:
        'i/n: only the i-th of n equal shares, several processes fill one set; else the name of the index part',
    })
    .option('long', {
      choices: LENGTH_POLICIES,
      default: defaults.long,
      describe: 'longer clips: take their beginning, encode them in overlapping pieces, or leave them out',
    })
    .option('max-seconds', {
      type: 'number',
      default: defaults['max-seconds'],
      describe: 'from how many seconds on a clip, or a piece, is long',
    })
    .option('overlap-seconds', {
      type: 'number',
      default: defaults['overlap-seconds'],
      describe: 'how much pieces share (--long chunk)',
    })
    .option('channels', {
      choices: ['downmix', 'center', 'mean'] as const,
      default: defaults.channels,
      describe: 'how several channels become one',
    })
    .option('retry', {
      type: 'boolean',
      default: defaults.retry,
      describe: 'try quarantined utterances again',
    })
    .option('dry-run', {
      type: 'boolean',
      default: defaults['dry-run'],
      describe:
        'show what would be computed, how many bytes and how long it would take (tries a few), and stop',
    })
    .option('json', {
      type: 'boolean',
      default: defaults.json,
      describe: 'result as JSON on stdout',
    })
    .example('$0 features extract --dataset demo --preset tiny', 'all that the store lacks')
    .example('$0 features extract --dataset demo --preset tiny --dry-run', 'what that would take')
    .example('$0 features extract --dataset demo --preset tiny --part 1/4', 'the first of four processes')
    .example('$0 features extract --dataset demo --preset tiny --dtype int8', 'faster on a CPU')
    .example('$0 features extract --model microsoft/wavlm-large --layers 0-24 --pool mean', '')
    .example('$0 features extract --model hubert=facebook/hubert-base-ls960 --model text=./my-bert', '');
}

/** @throws UserError for lengths that make no policy */
export function decodePolicy(options: Omit<ExtractCommandOptions, keyof CommonOptions>): DecodePolicy {
  const { long: over, channels } = options;
  const [maxSeconds, overlapSeconds] = [options['max-seconds'], options['overlap-seconds']];
  if (!(maxSeconds >= 1 && maxSeconds <= 600))
    throw new UserError(`--max-seconds ${maxSeconds}: expected 1 to 600`);
  if (over !== 'chunk') return { channels, length: { maxSeconds, over } };
  if (!(overlapSeconds >= 0 && overlapSeconds <= maxSeconds / 2))
    throw new UserError(
      `--overlap-seconds ${overlapSeconds}: expected 0 to half of --max-seconds (${maxSeconds / 2})`,
    );
  return { channels, length: { maxSeconds, over, overlapSeconds } };
}
