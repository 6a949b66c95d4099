import { join } from 'node:path';
import {
  type FeatureDtype,
  type FoundFeatureSet,
  describeDifferences,
  diffComputation,
  findFeatureSets,
  isImported,
  type Manifest,
  readFeatureSetIndex,
  type RebuiltRecord,
  type RepairReport,
  type SetLocation,
  setTitle,
  UserError,
} from '@lsgmer/datasets';
import {
  DEFAULT_DECODE_POLICY,
  extractFeatures,
  type ExtractOptions,
  planFeatures,
  readPolicy,
} from '@lsgmer/extract';
import type { Context } from '../../context.ts';
import { givenRoot } from '../../dataset.ts';
import { staleRows } from '../../freshness.ts';
import { recordedEncoder } from '../../recorded-encoder.ts';
import { count } from './sets.ts';

/** Where and how rows are computed again. */
export interface RecomputeOptions {
  readonly root?: string | undefined;
  readonly device: 'auto' | 'cpu' | 'cuda' | 'webgpu';
  readonly threads?: number | undefined;
}

/** Whether what rows of the part were computed from was read from a damaged file. */
export const isUnsure = ({ unsureInputs }: RebuiltRecord): boolean => unsureInputs > 0;

/**
 * Rows that are gone; and where an index part was made anew, rows that were computed from another text or recording than the
 * manifest's: several of an utterance may have been there. Where entries were read from a damaged file, all rows are compared.
 */
export function wantedIds(
  context: Context,
  { location, redo, parts }: RepairReport,
  manifest: Manifest | null,
): Set<string> {
  const ids = new Set(redo);
  if (parts.length === 0) return ids;
  const index = readFeatureSetIndex(context.stores, location);
  if (parts.some(isUnsure)) {
    for (const id of [...index.rows.keys(), ...index.quarantined.keys()]) ids.add(id);
    return ids;
  }
  const kind = knownSet(location)?.spec.kind;
  if (kind === undefined || manifest === null) return ids;
  const inputs = new Map([...index.rows].map(([id, { input }]) => [id, input]));
  for (const id of staleRows(kind, inputs, manifest.utterances).keys()) ids.add(id);
  return ids;
}

function knownSet({ store, dataset, feature, fingerprint }: SetLocation): FoundFeatureSet | undefined {
  return findFeatureSets([store], dataset, feature, () => {}).find((set) => set.fingerprint === fingerprint);
}

/** Rows that were computed again, and what kept the others from it. */
interface Again {
  readonly computed: number;
  readonly why: string | null;
}

/** Computes rows again with the encoder that the set was made with; what keeps it from that is an answer, and no error. */
export async function extractAgain(...asked: Parameters<typeof extractRows>): Promise<Again> {
  try {
    return await extractRows(...asked);
  } catch (error) {
    if (error instanceof UserError) return { computed: 0, why: error.message };
    throw error;
  }
}

async function extractRows(
  context: Context,
  { location, redo }: RepairReport,
  manifest: Manifest,
  ids: ReadonlySet<string>,
  options: RecomputeOptions,
): Promise<Again> {
  const some = `${count(redo.length, 'row')} of ${setTitle(location)}`;
  // where nothing says any more what the set is, the encoder of its name does
  const known = knownSet(location);
  if (known !== undefined && isImported(known.spec)) {
    // rows whose entry was read from a damaged index are as good as their checksums: nothing is left to be compared
    if (redo.length === 0) return { computed: 0, why: null };
    return {
      computed: 0,
      why: `${some}: it was imported; run the same features import again, it fills what is lost`,
    };
  }
  const texts = manifest.utterances.map(({ text }) => text);
  const model = await recordedEncoder(context, location, texts, known?.spec);
  if (model === null)
    return {
      computed: 0,
      why: `${some}: no encoder of that name is known here; compute or pull them elsewhere`,
    };
  const root = givenRoot(context, location.dataset, options.root);
  if (root === undefined && model.form.kind === 'audio')
    return {
      computed: 0,
      why: `${some}: where the corpus lies is not known; run again with --root <folder>`,
    };
  const request = (dtype: FeatureDtype): ExtractOptions => ({
    dataset: location.dataset,
    root: root ?? context.folder,
    utterances: manifest.utterances.filter(({ id }) => ids.has(id)),
    models: [model],
    store: location.store,
    readStores: context.stores.filter((store) => store !== location.store),
    dtype,
    policy: readPolicy(known?.spec.computation['decode']) ?? DEFAULT_DECODE_POLICY,
    device: options.device,
    cacheFolder: join(location.store, location.dataset),
    reporter: context.reporter,
    signal: context.signal,
    ...(options.threads === undefined ? {} : { threads: options.threads }),
  });
  let other = '';
  for (const dtype of ['float16', 'float32'] as const) {
    const [plan] = await planFeatures(request(dtype));
    if (plan?.spec.fingerprint === location.fingerprint) {
      const [set] = await extractFeatures(request(dtype));
      return { computed: set?.computed ?? 0, why: null };
    }
    if (known && plan && (other === '' || known.spec.dtype === dtype))
      other = describeDifferences(diffComputation(known.spec.computation, plan.spec.computation));
  }
  return {
    computed: 0,
    why: `${some}: this lsgmer computes another fingerprint (${other}), and features are never mixed; extract the feature anew`,
  };
}
