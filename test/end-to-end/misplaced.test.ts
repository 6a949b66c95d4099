import { cpSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { done, WorkFolder } from './command-line.ts';
import { EXTRACT, fileOf, makeDemoStore } from './demo-store.ts';

/** Folders of features that somebody copied or renamed. */
const place = new WorkFolder();
beforeAll(() => makeDemoStore(place));
afterAll(() => place.remove());

describe('features', () => {
  it('a folder that was copied by hand is named, and left as it is', async () => {
    const features = place.path('store', 'demo');
    cpSync(join(features, 'random-tiny-wavlm'), join(features, 'my-other'), { recursive: true });
    const before = readdirSync(join(features, 'my-other'), { recursive: true });
    const line =
      /my-other\/[0-9a-f]{64} is a copy of demo\/random-tiny-wavlm@[0-9a-f]{12}, which is there too/;
    await place.expectAll([
      ['features status', 3, line],
      ['features verify', 3, line],
      ['features repair --dry-run', 0, line],
      ['features repair', 3, line],
      ['features gc --dry-run', 0, line],
      ['features compact', 0, line],
      ['train --dataset demo --dry-run', 2, line],
    ]);
    const named = 'text=random-tiny-roberta,audio=random-tiny-wavlm';
    done(await place.run('train', '--dataset', 'demo', '--dry-run', '--features', named));
    expect(readdirSync(join(features, 'my-other'), { recursive: true })).toEqual(before);
    rmSync(join(features, 'my-other'), { recursive: true });
  });

  it('a folder that was renamed to no fingerprint is named, and left as it is', async () => {
    const set = join(fileOf(place, 'random-tiny-wavlm', 'shards'), '..', '..');
    renameSync(set, `${set}.bak`);
    const line = /[0-9a-f]{64}.bak is a copy of [^ ]+, which is not in its own folder: rename it back/;
    const push = `push ${place.path('remote')}`;
    await place.expectAll([
      ['features status', 3, line],
      ['features verify', 3, line],
      ['features repair', 3, line],
      ['features gc --dry-run', 0, line],
      ['features compact --dry-run', 0, line],
      ['features inspect', 0, line],
      [`features ${push}`, 2, line],
      ['train --dataset demo --dry-run', 2, line],
      [EXTRACT.join(' '), 2, line],
    ]);
    renameSync(`${set}.bak`, set);
    expect(done(await place.run('features', 'verify'))).toMatch(/every byte/);
  });

  it("a file manager's copy of a feature is named, and in nobody's way", async () => {
    const copy = place.path('store', 'demo', 'random-tiny-wavlm (copy)');
    cpSync(place.path('store', 'demo', 'random-tiny-wavlm'), copy, { recursive: true });
    const line = /wavlm \(copy\)\/[0-9a-f]{64} is a copy of [^ ]+, which is there too: remove the copy/;
    await place.expectAll([
      ['features status', 3, line],
      ['features verify', 3, line],
      ['features repair', 3, line],
      ['features gc --dry-run', 0, line],
      ['features compact --dry-run', 0, line],
      ['features inspect', 0, line],
      [`push ${place.path('remote-of-copies')}`, 0, line],
      ['train --dataset demo --dry-run', 0, /./],
      ['probe --dataset demo', 0, /./],
      [EXTRACT.join(' '), 0, /./],
    ]);
    rmSync(copy, { recursive: true });
  });
});
