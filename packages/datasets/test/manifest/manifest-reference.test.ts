import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCard } from '../../src/manifest/card.ts';
import { formatManifest, writeManifest } from '../../src/manifest/manifest-file.ts';
import { readNamedManifest } from '../../src/manifest/manifest-reference.ts';
import { putFiles, repositoryFile, row, temporaryFolder } from '../support.ts';

const card = loadCard(repositoryFile('manifests/demo.json'));

function storeOfTwo() {
  const store = temporaryFolder();
  const write = (text: string) =>
    writeManifest(store, { card, utterances: [row('demo/a', { text })], options: {}, tool: 't' }).info
      .manifest.sha256;
  return { store, first: write('old'), second: write('new') };
}

describe('readNamedManifest', () => {
  it('reads a file, the manifest of a dataset, and earlier ones by digest', () => {
    const { store, first, second } = storeOfTwo();
    const text = (reference: string) => readNamedManifest([store], reference).utterances[0]?.text;
    expect(text('demo')).toBe('new');
    expect(text(first.slice(0, 8))).toBe('old');
    expect(text(`sha256-${second}`)).toBe('new');
    expect(readNamedManifest([store], 'demo').name).toBe(`demo ${second.slice(0, 12)}`);
    putFiles(store, { 'mine.jsonl': formatManifest([row('demo/b', { text: 'mine' })]) });
    expect(text(join(store, 'mine.jsonl'))).toBe('mine');
  });

  it('names what there is', () => {
    const { store, first, second } = storeOfTwo();
    const listed = [first, second].sort().map((one) => `demo ${one.slice(0, 12)}`);
    expect(() => readNamedManifest([store], 'dmeo')).toThrow(
      `no manifest 'dmeo': give a .jsonl file, a dataset, or the digest of one of ${listed.join(', ')}`,
    );
    expect(() => readNamedManifest([temporaryFolder()], 'abcdef')).toThrow('none in the store');
  });

  it('tells the lines of a file that are no utterances', () => {
    const store = temporaryFolder();
    putFiles(store, { 'bad.jsonl': '{"id":1}\n' });
    expect(() => readNamedManifest([store], join(store, 'bad.jsonl'))).toThrow(/bad\.jsonl:1: id: /);
  });
});
