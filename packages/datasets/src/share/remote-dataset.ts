import { sha256Hex } from '../base/canonical-json.ts';
import { UserError } from '../base/errors.ts';
import type { FeatureSpec } from '../store/feature-spec.ts';
import { DamagedIndexError, decodeIndexPart, type ShardEntry } from '../store/index-part.ts';
import { type FeatureSetIndex, type LocatedPart, uniteParts } from '../store/index-union.ts';
import { type FeatureSetName, FINGERPRINT_PATTERN } from '../store/layout.ts';
import { parseSpec } from '../store/shard-schema.ts';
import {
  type Catalogue,
  type CataloguedSet,
  cataloguePath,
  decodeCatalogue,
  keyOf,
  type NamedFile,
} from './catalogue.ts';
import type { Remote } from './remote.ts';
import { PATIENCE, persistently } from './retry.ts';
import { readSmall, type Transfer } from './small-file.ts';

/** One feature set as a remote has it. */
export interface RemoteSet extends FeatureSetName {
  readonly spec: FeatureSpec;
  readonly specBytes: Uint8Array;
  readonly index: FeatureSetIndex;
}

export const setPath = ({ dataset, feature, fingerprint }: FeatureSetName): string =>
  `${dataset}/${feature}/${fingerprint}`;
export const shardPathIn = (set: FeatureSetName, sha256: string): string =>
  `${setPath(set)}/shards/sha256-${sha256}.arrow`;
export const specPathIn = (set: FeatureSetName): string => `${setPath(set)}/feature.json`;
export const partPathIn = (set: FeatureSetName, part: string): string => `${setPath(set)}/index/${part}.json`;
export const manifestPath = (dataset: string): string => `${dataset}/manifest.json`;

/** Readings of a file until two agree. */
const MOST_LOOKS = 4;

/** What a remote has of one dataset, read once. */
export class RemoteDataset {
  readonly dataset: string;
  /** Sizes by path; null where the remote cannot list. */
  readonly files: ReadonlyMap<string, number> | null;
  readonly catalogue: Catalogue | null;
  readonly #transfer: Transfer;
  readonly #sizes = new Map<string, Promise<number | null>>();

  private constructor(
    dataset: string,
    files: ReadonlyMap<string, number> | null,
    catalogue: Catalogue | null,
    transfer: Transfer,
  ) {
    this.dataset = dataset;
    this.files = files;
    this.catalogue = catalogue;
    this.#transfer = transfer;
  }

  /** @throws UserError where the remote does not let us, or its index is damaged. */
  static async open(transfer: Transfer, dataset: string): Promise<RemoteDataset> {
    const { remote, patience, signal } = transfer;
    const list = await persistently(patience, signal, () => remote.list(dataset, signal));
    const files = list && new Map(list.map(({ path, bytes }) => [path, bytes]));
    const path = cataloguePath(dataset);
    const bytes = files !== null && !files.has(path) ? null : await readSmall(transfer, path);
    const catalogue = bytes && readable(bytes, `${remote.title}/${path}`, files !== null);
    return new RemoteDataset(dataset, files, catalogue, transfer);
  }

  /** Size of a file, from the list where there is one. */
  size(path: string): Promise<number | null> {
    if (this.files !== null) return Promise.resolve(this.files.get(path) ?? null);
    const known = this.#sizes.get(path);
    if (known !== undefined) return known;
    const { remote, patience, signal } = this.#transfer;
    const asked = persistently(patience, signal, () => remote.size(path, signal));
    this.#sizes.set(path, asked);
    return asked;
  }

  /** manifest.json; null where the dataset is not there. */
  manifestInfo(): Promise<Uint8Array | null> {
    return this.#described(manifestPath(this.dataset), this.catalogue?.manifest ?? null);
  }

  /** Names of the sets that are whole enough to be read: feature.json and at least one index part are there. */
  setNames(): FeatureSetName[] {
    const { dataset } = this;
    if (this.files === null)
      return (this.catalogue?.sets ?? []).map(({ feature, fingerprint }) => ({
        dataset,
        feature,
        fingerprint,
      }));
    const found = new Map<string, FeatureSetName>();
    for (const path of this.files.keys()) {
      const [, feature, fingerprint = '', place] = path.split('/');
      if (feature === undefined || place !== 'index' || !FINGERPRINT_PATTERN.test(fingerprint)) continue;
      const name = { dataset, feature, fingerprint };
      if (this.files.has(specPathIn(name))) found.set(keyOf(name), name);
    }
    return [...found.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  }

  /** feature.json of a set; null where it is not there. */
  async specBytes(name: FeatureSetName): Promise<Uint8Array | null> {
    const known = this.#known(name);
    return this.files === null && known === null
      ? null
      : this.#described(specPathIn(name), known?.spec ?? null);
  }

  /** Reads feature.json and the index parts of a set; null where it is not there. @throws UserError for damage. */
  async set(name: FeatureSetName): Promise<RemoteSet | null> {
    const specBytes = await this.specBytes(name);
    if (specBytes === null) return null;
    const where = `${this.#transfer.remote.title}/${specPathIn(name)}`;
    const spec = parseSpec(Buffer.from(specBytes).toString('utf8'), where);
    if (keyOf(spec) !== keyOf(name) || spec.dataset !== name.dataset)
      throw new UserError(
        `${where} describes ${spec.dataset}/${keyOf(spec)}: it lies in the wrong folder there`,
      );
    const parts = await Promise.all(this.partNames(name).map((part) => this.#part(name, part)));
    return { ...name, spec, specBytes, index: uniteParts(parts) };
  }

  #known(name: FeatureSetName): CataloguedSet | null {
    return this.catalogue?.sets.find((one) => keyOf(one) === keyOf(name)) ?? null;
  }

  /** Index parts of a set, sorted. */
  partNames(name: FeatureSetName): string[] {
    if (this.files === null) return [...(this.#known(name)?.parts ?? [])].sort();
    const start = `${setPath(name)}/index/`;
    const names = [...this.files.keys()].filter((path) => path.startsWith(start) && path.endsWith('.json'));
    return names.map((path) => path.slice(start.length, -'.json'.length)).sort();
  }

  /** One index part; damage is looked at twice. @throws UserError */
  async #part(name: FeatureSetName, part: string): Promise<LocatedPart> {
    const path = partPathIn(name, part);
    const where = `${this.#transfer.remote.title}/${path}`;
    for (let look = 1; ; look++) {
      const bytes = await readSmall(this.#transfer, path);
      if (bytes === null) throw new UserError(`${where} is gone: run the same command again`);
      try {
        const index = decodeIndexPart(bytes, where);
        if (index.part === part && keyOf(index) === keyOf(name)) return { folder: '', index };
        throw new UserError(`${where} belongs to ${keyOf(index)}, part ${index.part}: remove it there`);
      } catch (error) {
        if (look === 1 && error instanceof DamagedIndexError) continue;
        if (!(error instanceof DamagedIndexError)) throw error;
        throw new UserError(
          `${where} is damaged (${error.what}): remove it there, and push again from a store that is whole`,
        );
      }
    }
  }

  /**
   * A file that does not vouch for itself. The catalogue does; where the place can list, a catalogue may be older than
   * the file, and two readings that agree are believed.
   */
  async #described(path: string, named: NamedFile | null): Promise<Uint8Array | null> {
    if (this.files !== null && !this.files.has(path)) return null;
    if (this.files === null || named === null) return readSmall(this.#transfer, path, named ?? undefined);
    let last = '';
    for (let look = 1; look <= MOST_LOOKS; look++) {
      const bytes = await readSmall(this.#transfer, path);
      const found = bytes === null ? '' : sha256Hex(bytes);
      if (bytes === null || found === named.sha256 || found === last) return bytes;
      last = found;
    }
    throw new UserError(
      `${this.#transfer.remote.title}/${path} comes with other bytes each time: check the server`,
    );
  }

  /** True where the remote has a shard in its full size. */
  async hasShard(set: FeatureSetName, { sha256, bytes }: ShardEntry): Promise<boolean> {
    return (await this.size(shardPathIn(set, sha256))) === bytes;
  }
}

/** A catalogue that is damaged is no loss where the place can list: it is made anew. */
function readable(bytes: Uint8Array, where: string, canList: boolean): Catalogue | null {
  try {
    return decodeCatalogue(bytes, where);
  } catch (error) {
    if (canList && error instanceof UserError) return null;
    throw error;
  }
}

/** Datasets that a remote has, where it can list. */
export async function remoteDatasets({ remote, patience, signal }: Transfer): Promise<string[] | null> {
  const list = await persistently(patience, signal, () => remote.list('', signal));
  if (list === null) return null;
  const names = list.flatMap(({ path }) => /^([^/]+)\/(?:manifest|share)\.json$/.exec(path)?.[1] ?? []);
  return [...new Set(names)].sort();
}

/** The same for callers that hold no transfer. */
export const datasetsAt = (remote: Remote, signal?: AbortSignal): Promise<string[] | null> =>
  remoteDatasets({ remote, patience: PATIENCE, signal });

/** What to say of a dataset that a remote does not have. */
export async function nothingThere(transfer: Transfer, dataset: string): Promise<UserError> {
  const { title } = transfer.remote;
  const datasets = await remoteDatasets(transfer);
  if (datasets === null)
    return new UserError(
      `${title} has no ${dataset}/share.json: expected an address under which lsgmer push has put a dataset of this name`,
    );
  const there = datasets.length === 0 ? 'no dataset at all' : datasets.join(', ');
  return new UserError(`${title} has no dataset ${dataset}: it has ${there}`);
}
