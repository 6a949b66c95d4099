import { z } from 'zod';
import { canonicalJson, sha256Hex } from '../base/canonical-json.ts';
import { UserError } from '../base/errors.ts';
import { FINGERPRINT_PATTERN } from '../store/layout.ts';
import { FORMAT, refuseNewer } from '../store/shard-schema.ts';

const NamedFile = z.strictObject({
  bytes: z.number().int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type NamedFile = z.infer<typeof NamedFile>;

const CataloguedSet = z.strictObject({
  feature: z.string(),
  fingerprint: z.string().regex(FINGERPRINT_PATTERN),
  /** feature.json */
  spec: NamedFile,
  /** Files of `index/` without `.json`, sorted; each holds its own digest. */
  parts: z.array(z.string()),
});
export type CataloguedSet = z.infer<typeof CataloguedSet>;

/**
 * `<dataset>/share.json`: what a remote has of a dataset, for places that cannot list (a plain web server). Written
 * after everything that it names. Where a place can list, the list is believed, and this file is made anew from it.
 */
export const Catalogue = z.strictObject({
  format: z.literal(FORMAT),
  dataset: z.string(),
  /** manifest.json */
  manifest: NamedFile.nullable(),
  sets: z.array(CataloguedSet),
});
export type Catalogue = z.infer<typeof Catalogue>;

export const cataloguePath = (dataset: string): string => `${dataset}/share.json`;

const TAIL = /,"sha256":"([0-9a-f]{64})"\}\n$/;

/** RFC 8785 JSON with the sha256 of itself as its last member, as index parts have it. */
export function encodeCatalogue(catalogue: Catalogue): Uint8Array {
  const sets = [...catalogue.sets].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const body = canonicalJson({ ...catalogue, sets });
  return Buffer.from(`${body.slice(0, -1)},"sha256":"${sha256Hex(body)}"}\n`, 'utf8');
}

/** @throws UserError where it is not as it was written. */
export function decodeCatalogue(bytes: Uint8Array, where: string): Catalogue {
  const text = Buffer.from(bytes).toString('utf8');
  const tail = TAIL.exec(text);
  const body = tail === null ? '' : `${text.slice(0, tail.index)}}`;
  if (tail === null || sha256Hex(body) !== tail[1])
    throw new UserError(`${where} is damaged, or no index of lsgmer: push to this place again`);
  const value = JSON.parse(body) as { format?: unknown };
  refuseNewer(value.format, where);
  const parsed = Catalogue.safeParse(value);
  if (!parsed.success) throw new UserError(`${where} is no index of lsgmer: push to this place again`);
  return parsed.data;
}

export const keyOf = ({ feature, fingerprint }: { feature: string; fingerprint: string }): string =>
  `${feature}/${fingerprint}`;

/** Two views of a remote as one; what `now` says of a set is newer. Pure. */
export function mergeCatalogues(old: Catalogue | null, now: Catalogue): Catalogue {
  const sets = new Map((old?.sets ?? []).map((set) => [keyOf(set), set]));
  for (const set of now.sets) {
    const known = sets.get(keyOf(set));
    sets.set(
      keyOf(set),
      known ? { ...set, parts: [...new Set([...known.parts, ...set.parts])].sort() } : set,
    );
  }
  return { ...now, manifest: now.manifest ?? old?.manifest ?? null, sets: [...sets.values()] };
}
