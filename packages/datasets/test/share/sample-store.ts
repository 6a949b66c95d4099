import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Card } from '../../src/manifest/card.ts';
import { writeManifest } from '../../src/manifest/manifest-file.ts';
import { openRemote } from '../../src/share/open-remote.ts';
import { type PullOptions, pullFeatures } from '../../src/share/pull.ts';
import { type PushOptions, pushFeatures } from '../../src/share/push.ts';
import { PATIENCE } from '../../src/share/retry.ts';
import type { ShareReport } from '../../src/share/share-report.ts';
import { openFeatureSetWriter } from '../../src/store/feature-set-writer.ts';
import { locateSets } from '../../src/store/set-location.ts';
import { isDamaged, verifySet } from '../../src/store/verify.ts';
import { filesBelow, sampleRow, sampleSpec, temporaryStore } from '../store/sample.ts';
import { row } from '../support.ts';
import type { SharingServer } from './sharing-server.ts';

export const AUDIO = sampleSpec();
export const TEXT = sampleSpec({ kind: 'text', dtype: 'float32' });

export function card(changes: Partial<Card> = {}): Card {
  return {
    name: 'sample',
    title: 'Sample',
    adapter: 'table',
    synthetic: true,
    paper: null,
    licence: 'made up',
    restricted: false,
    layout: [],
    tasks: [
      {
        name: 'two',
        description: 'a or b',
        classes: [
          { name: 'a', labels: ['a'] },
          { name: 'b', labels: ['b'] },
        ],
        protocol: { kind: 'fixed-split', train: ['train'], dev: [], test: ['dev'] },
        metric: 'ua',
      },
    ],
    ...changes,
  };
}

const SPLITS = { train: 40, dev: 12 } as const;

/** A store with a manifest of 52 utterances and two features, each in several shards. */
export function sampleStore(changes: Partial<Card> = {}): string {
  const store = temporaryStore();
  writeSampleManifest(store, changes);
  for (const spec of [AUDIO, TEXT]) {
    const writer = openFeatureSetWriter({ store, spec, part: 'main', shardBytes: 4000 });
    for (const [split, count] of Object.entries(SPLITS))
      for (let i = 0; i < count; i++) writer.append(sampleRow(spec, i, split));
    writer.quarantine('sample/dev/broken', '0 samples', 'input-x');
    writer.close();
  }
  return store;
}

export function writeSampleManifest(store: string, changes: Partial<Card> = {}, text = 'words'): void {
  const utterances = Object.entries(SPLITS).flatMap(([split, count]) =>
    Array.from({ length: count }, (_, i) => {
      const rawLabel = i % 2 === 0 ? 'a' : 'b';
      return row(`sample/${split}/u${String(i).padStart(4, '0')}`, { split, rawLabel, text, rawText: text });
    }),
  );
  writeManifest(store, { card: card(changes), utterances, options: {}, tool: 'test' });
}

/** Impatient enough for a test. */
export const IMPATIENT = { ...PATIENCE, firstPauseMs: 1, silenceMs: 400 };

/** Pushes or pulls as the command line does, over a remote of its own. */
export async function push(
  address: string,
  store: string,
  server?: SharingServer,
  changes: Partial<PushOptions> = {},
  partBytes?: number,
): Promise<ShareReport> {
  const remote = await openRemote(address, {
    folder: '/',
    environment: server?.environment ?? {},
    home: '/nonexistent',
    silenceMs: (changes.patience ?? IMPATIENT).silenceMs,
    ...(partBytes === undefined ? {} : { partBytes }),
  });
  onTestFinished(() => remote.close());
  return pushFeatures({ stores: [store], dataset: 'sample', remote, patience: IMPATIENT, ...changes });
}

export async function pull(
  address: string,
  store: string,
  server?: SharingServer,
  changes: Partial<PullOptions> = {},
): Promise<ShareReport> {
  const remote = await openRemote(address, {
    folder: '/',
    environment: server?.environment ?? {},
    home: '/nonexistent',
    silenceMs: (changes.patience ?? IMPATIENT).silenceMs,
  });
  onTestFinished(() => remote.close());
  return pullFeatures({ store, stores: [store], dataset: 'sample', remote, patience: IMPATIENT, ...changes });
}

/** Content of the files below a folder that are the same on every side: shards, feature.json, the manifest's. */
export function contents(store: string): Map<string, string> {
  const names = filesBelow(store).filter((name) => !name.includes('/index/') && !name.endsWith('share.json'));
  return new Map(names.map((name) => [name, readFileSync(join(store, name)).toString('base64')]));
}

/** True when every set of a store is whole, and every shard is listed. */
export async function isWholeStore(store: string): Promise<boolean> {
  const checks = await Promise.all(locateSets([store], 'sample').map((set) => verifySet(set)));
  return checks.every((check) => !isDamaged(check) && check.unlisted.length === 0);
}
