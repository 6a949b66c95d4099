import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { UserError } from '@lsgmer/datasets';
import { z } from 'zod';
import type { BatchShape } from '../head/contract.ts';
import type { ProtocolNote } from '../experiment/request.ts';
import { NUMERICS_VERSION } from '../record/run-id.ts';

const Missing = z.looseObject({ id: z.string(), reason: z.string() });

/** What the catalogue reads of a run's config.json; whatever else stands there is let be. */
const ConfigFile = z.looseObject({
  run: z.string(),
  variant: z.string(),
  /** A trial of a sweep, without a test part; or trained again on train and dev. */
  role: z.enum(['trial', 'refit']).optional(),
  identity: z.looseObject({
    dataset: z.string(),
    task: z.string(),
    classes: z.array(z.string()).min(2),
    fold: z.string(),
    seed: z.number().int(),
    head: z.string(),
    headSource: z.string().optional(),
    config: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
    features: z.record(
      z.string(),
      z.looseObject({ feature: z.string(), fingerprint: z.string(), rows: z.string() }),
    ),
    utterances: z.string(),
    engine: z.string(),
    device: z.string(),
    numerics: z.number().int(),
  }),
  coverage: z.looseObject({
    expected: z.number().int().nonnegative(),
    missingTest: z.array(Missing),
    missingTrain: z.array(Missing),
    missingDev: z.array(Missing).optional(),
  }),
  protocol: z
    .looseObject({
      name: z.string(),
      speakerDependent: z.boolean(),
      where: z.string().nullable(),
      asked: z.string().nullable().default(null),
      dev: z.string().nullable().default(null),
    })
    .nullish(),
  /** Every fold of the protocol, whether this experiment runs it or not. */
  folds: z.array(z.string()).optional(),
  /** Padded shapes of its batches. */
  shapes: z
    .array(z.object({ rows: z.number(), text: z.number(), audio: z.number(), map: z.number() }))
    .optional(),
  environment: z.looseObject({ headFile: z.string().optional() }).optional(),
});
type ConfigFile = z.infer<typeof ConfigFile>;

/** Of state.json, whatever its format: runs of older programs are stale, not damaged. */
const StateFile = z.looseObject({ status: z.string(), epoch: z.number().int().nonnegative() });

/** `unfinished`: it holds a point to go on from, or nothing but its configuration; it may be running now. */
export type RunStatus = 'finished' | 'unfinished';

/** A run folder as the catalogue knows it: everything but predictions and weights. */
export interface RunEntry {
  readonly id: string;
  readonly path: string;
  readonly variant: string;
  /** Null for an ordinary run. */
  readonly role: 'trial' | 'refit' | null;
  readonly identity: ConfigFile['identity'];
  readonly coverage: ConfigFile['coverage'];
  /** How the folds were cut; null where the run does not say. */
  readonly protocol: ProtocolNote | null;
  /** Folds of the protocol; null where the run does not say. */
  readonly folds: readonly string[] | null;
  /** Padded shapes of its batches, where it says: in them it computes the same bits again. */
  readonly shapes: readonly BatchShape[] | null;
  /** Where its head came from, if from a file. */
  readonly headFile: string | null;
  readonly status: RunStatus;
  /** Complete epochs. */
  readonly epoch: number;
  /** Of another numerics version than this program's: its numbers do not compare with new ones. */
  readonly stale: boolean;
  /** When the run last wrote its state (milliseconds since 1970), else its configuration. */
  readonly changed: number;
}

/**
 * Reads a run folder.
 * @throws UserError that names the file where config.json or state.json is missing or damaged
 */
export function readRunEntry(path: string): RunEntry {
  const configPath = join(path, 'config.json');
  const config = readJson(configPath, ConfigFile);
  const id = basename(path);
  if (config.run !== id) throw new UserError(`${configPath}: is of run ${config.run}, not ${id}`);
  const statePath = join(path, 'state.json');
  const state = existsSync(statePath)
    ? readJson(statePath, StateFile, 'damaged; delete its folder and train again')
    : undefined;
  const { identity, coverage, protocol } = config;
  return {
    id,
    path,
    variant: config.variant,
    role: config.role ?? null,
    identity,
    coverage,
    protocol: protocol ?? null,
    folds: config.folds ?? null,
    shapes: config.shapes ?? null,
    headFile: config.environment?.headFile ?? null,
    status: state?.status === 'finished' ? 'finished' : 'unfinished',
    epoch: state?.epoch ?? 0,
    stale: identity.numerics !== NUMERICS_VERSION,
    changed: statSync(state === undefined ? configPath : statePath).mtimeMs,
  };
}

function readJson<T>(path: string, schema: z.ZodType<T>, otherwise?: string): T {
  if (!existsSync(path)) throw new UserError(`${path}: is missing`);
  let data: unknown;
  try {
    data = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UserError(`${path}: not JSON: ${(error as Error).message}`);
  }
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new UserError(
    `${path}: ${otherwise ?? `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'damaged'}`}`,
  );
}
