import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../src/base/canonical-json.ts';
import { UserErrors } from '../../src/base/errors.ts';
import { loadCard } from '../../src/manifest/card.ts';
import {
  formatManifest,
  parseManifest,
  readManifest,
  readManifestInfo,
  writeManifest,
} from '../../src/manifest/manifest-file.ts';
import type { Utterance } from '../../src/manifest/utterance.ts';
import { putFiles, repositoryFile, row, temporaryFolder } from '../support.ts';

const card = loadCard(repositoryFile('manifests/demo.json'));
const rows = [
  row('demo/b', { rawLabel: 'ang', session: 'Ses01', speaker: '1F', dialogue: 'x' }),
  row('demo/B', { rawLabel: 'ang', session: 'Ses02', speaker: '2F', text: 'ż “q” \u2028', dialogue: 'y' }),
  row('demo/a-1', {
    media: { path: 'p.wav', sha256: 'a'.repeat(64), seconds: 1.25, sampleRate: 16000, channels: 1 },
  }),
  row('demo/a/1', { media: null, tags: { media: 'missing', style: 'scripted' } }),
];
const build = (store: string, utterances: readonly Utterance[] = rows) =>
  writeManifest(store, { card, utterances, options: { media: 'hash' }, tool: '0.1.0' });

describe('formatManifest', () => {
  it('writes RFC 8785 lines in the order of the UTF-8 bytes of the id', () => {
    const text = formatManifest(rows);
    const lines = text.split('\n');
    expect(lines.map((line) => line.match(/"id":"([^"]*)"/)?.[1])).toEqual([
      'demo/B',
      'demo/a-1',
      'demo/a/1',
      'demo/b',
      undefined,
    ]);
    expect(lines[1]).toBe(
      '{"annotations":[],"dataset":"demo","dialogue":null,"id":"demo/a-1","media":{"channels":1,"path":"p.wav",' +
        `"sampleRate":16000,"seconds":1.25,"sha256":"${'a'.repeat(64)}"},"rawLabel":null,"rawText":"words",` +
        '"session":null,"speaker":null,"split":null,"tags":{},"text":"words","textSource":"corpus","turn":null}',
    );
    expect(formatManifest([...rows].reverse())).toBe(text);
    expect(parseManifest(text, 'm')).toEqual(
      ['demo/B', 'demo/a-1', 'demo/a/1', 'demo/b'].map((id) => rows.find((one) => one.id === id)),
    );
  });
});

describe('parseManifest', () => {
  const problems = (text: string): readonly string[] => {
    try {
      parseManifest(text, 'm.jsonl');
    } catch (error) {
      return (error as UserErrors).problems;
    }
    return [];
  };

  it('names every line that is wrong', () => {
    const good = formatManifest(rows).split('\n');
    const text = [
      good[1],
      '{"id":',
      good[0],
      good[0],
      JSON.stringify({ ...rows[0], turn: -1, extra: 1 }),
      good[3],
    ].join('\n');
    expect(problems(text)).toEqual([
      'm.jsonl:6: the last line has no line end: the file is cut short',
      'm.jsonl:2: not JSON: Unexpected end of JSON input',
      'm.jsonl:3: id demo/B comes after demo/a-1: not sorted',
      'm.jsonl:4: id demo/B is there twice',
      'm.jsonl:5: turn: Too small: expected number to be >=0',
      'm.jsonl:5: extra: no such key',
    ]);
  });

  it('shortens a long list', () => {
    const lines = problems('x\n'.repeat(30));
    expect(lines).toHaveLength(21);
    expect(lines[19]).toMatch(/^m\.jsonl:20: not JSON: /);
    expect(lines[20]).toBe('... and 10 more problems');
  });

  it('refuses ids that could leave a folder', () => {
    for (const id of ['demo', 'demo/../x', 'demo/./x', './x', 'demo//x', '/demo/x', 'demo/x y', 'demo/ż']) {
      expect(problems(formatManifest([row('demo/ok', { id })])), id).toHaveLength(1);
    }
    expect(problems(formatManifest([row('demo/.x.-_')]))).toEqual([]);
  });
});

describe('writeManifest and readManifest', () => {
  it('gives back what was written, with its counts', () => {
    const store = temporaryFolder();
    const written = build(store);
    const read = readManifest(store, 'demo');
    expect(read).toEqual(written);
    expect(read.utterances.map((one) => one.id)).toEqual(['demo/B', 'demo/a-1', 'demo/a/1', 'demo/b']);
    expect(read.card).toEqual(card);
    expect(read.info.counts).toEqual({
      utterances: 4,
      labels: { ang: 2 },
      splits: {},
      sessions: { Ses01: 1, Ses02: 1 },
      speakers: 2,
      dialogues: 2,
      seconds: 1.25,
    });
    const bytes = readFileSync(read.file);
    expect(read.file).toBe(join(store, `demo/manifests/sha256-${sha256Hex(bytes)}.jsonl`));
  });

  it('refuses the manifest of another dataset: its folder was copied', () => {
    const store = temporaryFolder();
    build(store);
    cpSync(join(store, 'demo'), join(store, 'demo2'), { recursive: true });
    expect(() => readManifest(store, 'demo2')).toThrow(
      `${join(store, 'demo2', 'manifest.json')} is that of demo: rename its folder back, remove it where it is a copy, or build it again`,
    );
  });

  it('gives the same bytes from another order and in another place', () => {
    const [one, two] = [temporaryFolder(), temporaryFolder()];
    build(one);
    build(two, [...rows].reverse());
    const files = (store: string) =>
      [...readdirSync(join(store, 'demo/manifests')).map((name) => `manifests/${name}`), 'manifest.json'].map(
        (name) => [name, readFileSync(join(store, 'demo', name), 'utf8')],
      );
    expect(files(two)).toEqual(files(one));
    expect(files(one)).toHaveLength(2);
  });

  it('describes a manifest without reading its rows', () => {
    const store = temporaryFolder();
    const written = writeManifest(store, { card, utterances: rows, options: {}, tool: 't' });
    putFiles(store, { [`${card.name}/${written.info.manifest.file}`]: 'torn' });
    expect(readManifestInfo(store, card.name)).toEqual(written.info);
    expect(() => readManifestInfo(store, 'other')).toThrow('no manifest of dataset other');
  });

  it('reads the first store that has the dataset', () => {
    const [empty, full, other] = [temporaryFolder(), temporaryFolder(), temporaryFolder()];
    build(full);
    build(other, rows.slice(1));
    expect(readManifest([empty, full, other], 'demo').utterances).toHaveLength(4);
    expect(() => readManifest([empty, full], 'meld')).toThrow(
      `no manifest of dataset meld in store ${empty}, ${full}: build it`,
    );
  });

  it('notices a changed, torn or missing file', () => {
    const store = temporaryFolder();
    const { file } = build(store);
    const bytes = readFileSync(file);
    const problemsOf = () => {
      try {
        readManifest(store, 'demo');
      } catch (error) {
        return (error as Error).message.split('\n').map((line) => line.replaceAll(store, 'S'));
      }
      return [];
    };
    writeFileSync(file, bytes.toString('utf8').replace('"ang"', '"sad"'));
    expect(problemsOf()).toEqual([
      expect.stringContaining(
        'the file was changed or cut short; build it again, or pull it with --manifest replace',
      ),
    ]);
    writeFileSync(file, bytes.subarray(0, bytes.length - 10));
    expect(problemsOf()).toEqual([
      expect.stringContaining(`(${bytes.length} bytes), found`),
      expect.stringContaining(':4: the last line has no line end'),
      expect.stringContaining(':4: not JSON'),
    ]);
    writeFileSync(join(store, 'demo/manifest.json'), '{"format":1}');
    expect(problemsOf()[0]).toMatch(/^S\/demo\/manifest\.json: dataset: expected string/);
    build(store);
    expect(problemsOf()).toEqual([]);
  });

  it('says in one line that a store cannot be written', () => {
    const store = temporaryFolder();
    mkdirSync(join(store, 'demo'));
    writeFileSync(join(store, 'demo/manifests'), 'in the way');
    expect(() => build(store)).toThrow(
      /^cannot write the manifest of demo into store .*: a (file is in the way|part of the path is not a folder)$/,
    );
  });
});
