import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Card,
  fingerprintOf,
  openFeatureSetWriter,
  Rng,
  type Utterance,
  writeManifest,
} from '@lsgmer/datasets';

/** A store of one feature, `noise`, and its manifest. */
export function makeStore(store: string, megabytes: number, shardBytes: number): void {
  const computation = { encoder: 'services', version: 1 };
  const spec = {
    format: 1,
    dataset: 'services',
    feature: 'noise',
    fingerprint: fingerprintOf(computation),
    kind: 'audio',
    dim: 256,
    dtype: 'float16',
    firstSeconds: 0,
    stepSeconds: 0.02,
    computation,
    provenance: {},
  } as const;
  const card: Card = {
    name: 'services',
    title: 'Noise',
    adapter: 'table',
    synthetic: true,
    paper: null,
    licence: 'none',
    restricted: false,
    layout: [],
    tasks: [
      {
        name: 'two',
        description: 'two labels',
        classes: [
          { name: 'a', labels: ['a'] },
          { name: 'b', labels: ['b'] },
        ],
        protocol: { kind: 'random', k: 2, seed: 1 },
        metric: 'ua',
      },
    ],
  };
  // rows of 1,000 frames: half a megabyte each
  const rows = Math.ceil((megabytes * 1e6) / (1000 * spec.dim * 2));
  const ids = Array.from({ length: rows }, (_, i) => `services/u${String(i).padStart(5, '0')}`);
  const rng = new Rng('services');
  const noise = rng.normals(1000 * spec.dim);
  const writer = openFeatureSetWriter({
    store,
    spec,
    part: 'main',
    shardBytes,
  });
  ids.forEach((id, i) => {
    noise[i % noise.length] = i;
    writer.append({ id, split: null, n: 1000, features: noise, input: `input ${i}` });
  });
  writer.close();
  const utterances = ids.map((id, i): Utterance => ({
    id,
    dataset: 'services',
    split: null,
    session: null,
    dialogue: null,
    turn: null,
    speaker: null,
    rawLabel: i % 2 === 0 ? 'a' : 'b',
    annotations: [],
    text: 'words',
    rawText: 'words',
    textSource: 'corpus',
    media: null,
    tags: {},
  }));
  writeManifest(store, { card, utterances, options: {}, tool: 'test' });
}

/** Shards below a folder, by file name. */
export function shardsOf(folder: string): Map<string, Buffer> {
  const names = (readdirSync(folder, { recursive: true }) as string[]).filter((name) =>
    name.endsWith('.arrow'),
  );
  return new Map(
    names.map((name) => [name.slice(name.lastIndexOf('/') + 1), readFileSync(join(folder, name))]),
  );
}
