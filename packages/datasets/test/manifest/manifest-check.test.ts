import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCard } from '../../src/manifest/card.ts';
import { checkManifests, missingDescription } from '../../src/manifest/manifest-check.ts';
import { readManifest, writeManifest } from '../../src/manifest/manifest-file.ts';
import { repositoryFile, row, temporaryFolder } from '../support.ts';

const card = loadCard(repositoryFile('manifests/demo.json'));
const build = (store: string, ids: readonly string[]) =>
  writeManifest(store, { card, utterances: ids.map((id) => row(id)), options: {}, tool: '0.1.0' });

/** A store with a manifest and an earlier one. */
function filled() {
  const store = temporaryFolder();
  const earlier = build(store, ['demo/a']);
  const now = build(store, ['demo/a', 'demo/b']);
  return { store, info: join(store, 'demo', 'manifest.json'), earlier: earlier.file, file: now.file };
}

/** Of the same length. */
function change(path: string): void {
  const bytes = readFileSync(path);
  const at = bytes.indexOf('words');
  bytes.write('wards', at);
  writeFileSync(path, bytes);
}

describe('checkManifests', () => {
  it('finds nothing where all is whole, and where there never was a manifest', () => {
    const { store } = filled();
    expect(checkManifests(store, 'demo')).toEqual([]);
    mkdirSync(join(store, 'other', 'some-feature'), { recursive: true });
    expect([checkManifests(store, 'other'), checkManifests(store, 'absent')]).toEqual([[], []]);
    expect(missingDescription(store, 'other')).toBeNull();
  });

  it('names rows that were changed, and building again mends them', () => {
    const { store, file } = filled();
    change(file);
    expect(checkManifests(store, 'demo')).toEqual([
      expect.stringMatching(
        /demo\/manifests\/sha256-.*jsonl was changed .*: build it again, or pull it with/,
      ),
    ]);
    build(store, ['demo/a', 'demo/b']);
    expect(checkManifests(store, 'demo')).toEqual([]);
    expect(readManifest(store, 'demo').utterances).toHaveLength(2);
  });

  it('names rows and descriptions that are gone, and earlier rows that were changed', () => {
    const { store, file, info, earlier } = filled();
    rmSync(file);
    expect(checkManifests(store, 'demo')).toEqual([
      expect.stringMatching(/^[^ ]*jsonl, which manifest.json names, is missing: build it again/),
    ]);
    build(store, ['demo/a', 'demo/b']);
    change(earlier);
    expect(checkManifests(store, 'demo')).toEqual([
      expect.stringMatching(/was changed .*: it is an earlier manifest: remove it$/),
    ]);
    rmSync(earlier);
    rmSync(info);
    const line = `${info} is missing, and manifests/ beside it has rows: build it again, or pull it with --manifest replace`;
    expect([checkManifests(store, 'demo'), missingDescription(store, 'demo')]).toEqual([[line], line]);
  });

  it.each([
    ['"name": "demo"', '"name": "demi"', /its card is not what its digest says/],
    ['"dataset": "demo"', '"dataset": "demi"', /is that of demi/],
    ['"format": 1', '"format": 7', /manifest.json: format.*: build it again/],
    ['{', '', /manifest.json.*: build it again/],
  ])('names a description in which %s became %s', (was, is, said) => {
    const { store, info } = filled();
    const text = readFileSync(info, 'utf8');
    expect(text).toContain(was);
    writeFileSync(info, text.replace(was, is));
    expect(checkManifests(store, 'demo')[0]).toMatch(said);
  });
});
