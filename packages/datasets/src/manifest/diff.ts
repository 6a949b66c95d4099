import { canonicalJson, type Json } from '../base/canonical-json.ts';
import type { Utterance } from './utterance.ts';
import { compareIds } from './utterance.ts';

/** A field of one row that differs; null stands for nothing there. */
export interface FieldChange {
  readonly field: string;
  readonly before: Json;
  readonly after: Json;
}

export interface RowChange {
  readonly id: string;
  readonly changes: readonly FieldChange[];
}

/** What has become of one manifest in another. */
export interface ManifestDiff {
  readonly rows: { readonly before: number; readonly after: number };
  /** Ids, in the order of manifests. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly RowChange[];
  /** Rows changed, by field (`text`, `media.seconds`, `tags.style`), most first. */
  readonly fields: readonly { readonly field: string; readonly rows: number }[];
  /** Changes of the label, by what became of what, most first. */
  readonly labels: readonly {
    readonly before: string | null;
    readonly after: string | null;
    readonly rows: number;
  }[];
  readonly unchanged: number;
}

/** Compares two manifests row by row, by id. Media and tags are compared field by field. */
export function diffManifests(before: readonly Utterance[], after: readonly Utterance[]): ManifestDiff {
  const old = new Map(before.map((row) => [row.id, row]));
  const now = new Map(after.map((row) => [row.id, row]));
  const changed = [...now.values()].flatMap((row): RowChange[] => {
    const earlier = old.get(row.id);
    const changes = earlier === undefined ? [] : rowChanges(earlier, row);
    return changes.length === 0 ? [] : [{ id: row.id, changes }];
  });
  const added = [...now.keys()].filter((id) => !old.has(id));
  const fields = new Map<string, number>();
  for (const { field } of changed.flatMap((row) => row.changes)) {
    fields.set(field, (fields.get(field) ?? 0) + 1);
  }
  return {
    rows: { before: old.size, after: now.size },
    added: added.sort(compareIds),
    removed: [...old.keys()].filter((id) => !now.has(id)).sort(compareIds),
    changed: changed.sort((a, b) => compareIds(a.id, b.id)),
    fields: [...fields]
      .map(([field, rows]) => ({ field, rows }))
      .sort((a, b) => b.rows - a.rows || (a.field < b.field ? -1 : 1)),
    labels: labelChanges(changed),
    unchanged: now.size - added.length - changed.length,
  };
}

function labelChanges(changed: readonly RowChange[]): ManifestDiff['labels'] {
  const groups = new Map<string, { before: string | null; after: string | null; rows: number }>();
  for (const change of changed.flatMap((row) => row.changes)) {
    if (change.field !== 'rawLabel') continue;
    const key = canonicalJson([change.before, change.after]);
    const group = groups.get(key) ?? {
      before: change.before as string | null,
      after: change.after as string | null,
      rows: 0,
    };
    group.rows++;
    groups.set(key, group);
  }
  return [...groups].sort(([a, m], [b, n]) => n.rows - m.rows || (a < b ? -1 : 1)).map(([, group]) => group);
}

function rowChanges(before: Utterance, after: Utterance): FieldChange[] {
  const old = flat(before);
  const now = flat(after);
  return [...new Set([...old.keys(), ...now.keys()])].sort().flatMap((field): FieldChange[] => {
    const [was, is] = [old.get(field) ?? null, now.get(field) ?? null];
    if (was === is || (typeof was === 'object' && canonicalJson(was) === canonicalJson(is))) return [];
    return [{ field, before: was, after: is }];
  });
}

/** Fields of a row; those of media and tags under their own names. */
function flat(row: Utterance): Map<string, Json> {
  const fields = new Map<string, Json>();
  for (const [name, value] of Object.entries(row as unknown as Record<string, Json>)) {
    if ((name === 'media' || name === 'tags') && value !== null) {
      for (const [inner, content] of Object.entries(value as Record<string, Json>)) {
        fields.set(`${name}.${inner}`, content);
      }
    } else fields.set(name, value);
  }
  return fields;
}
