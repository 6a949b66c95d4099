import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forgetInputs } from '../../packages/datasets/test/store/older-shards.ts';
import { done, MAIN, WorkFolder } from './command-line.ts';
import { EXTRACT, fileOf, makeDemoStore } from './demo-store.ts';

/** The store's upkeep as a user meets it: something is damaged, and is mended from the corpus. */
const place = new WorkFolder();

beforeAll(() => makeDemoStore(place));
afterAll(() => place.remove());

function spoil(path: string): void {
  const bytes = readFileSync(path);
  const at = bytes.length >> 1;
  bytes[at] = (bytes[at] as number) ^ 16;
  writeFileSync(path, bytes);
}

/** As an account that may read the store only; null where there can be none. */
function asReader(...args: string[]): { code: number | null; out: string } | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return null;
  chmodSync(place.folder, 0o755);
  const account = '--reuid=64203 --regid=64203 --clear-groups --inh-caps=-all --bounding-set=-all'.split(' ');
  const run = (...words: string[]) =>
    spawnSync('setpriv', [...account, process.execPath, ...words], { cwd: place.folder, encoding: 'utf8' });
  if (run('--check', MAIN).status !== 0) return null;
  const { status, stdout, stderr } = run(MAIN, ...args);
  return { code: status, out: `${stdout}${stderr}` };
}

describe('features', () => {
  it('verify, repair and verify again: what is damaged is named, mended, and trained from', async () => {
    expect(done(await place.run('features', 'verify'))).toMatch(/every byte is as it was written/);
    spoil(fileOf(place, 'random-tiny-wavlm', 'shards'));
    writeFileSync(fileOf(place, 'random-tiny-roberta', 'feature.json'), '{');
    appendFileSync(fileOf(place, 'random-tiny-alexnet', 'index'), ' ');

    const status = await place.run('features', 'status');
    expect([status.code, status.err]).toEqual([3, expect.stringContaining('features repair')]);
    const found = await place.run('features', 'verify', '--json');
    expect(found.code, found.err).toBe(3);
    const { sets } = JSON.parse(found.out) as {
      sets: {
        feature: string;
        damaged: boolean;
        feature_json: string | null;
        shards: { badRows: { id: string }[] }[];
      }[];
    };
    expect(sets.map(({ damaged }) => damaged)).toEqual([true, true, true]);
    const bad = sets.find(({ feature }) => feature === 'random-tiny-wavlm')?.shards[0]?.badRows ?? [];
    expect(bad).toHaveLength(1);
    const text = await place.run('features', 'verify', '--feature', 'random-tiny-wavlm');
    expect(text.out).toMatch(new RegExp(`row \\d+, ${bad[0]?.id}: its xxh64`));
    const train = [
      'train',
      '--dataset',
      'demo',
      '--recipe',
      'demo',
      '--set',
      'epochs=1',
      '--set',
      'd=16',
      '--fold',
      '1',
    ];
    const refused = await place.run(...train);
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('lsgmer features repair')]);

    const planned = await place.run('features', 'repair', '--dry-run');
    expect(done(planned)).toMatch(/1 row lost, to be computed again/);
    expect(existsSync(place.path('store', 'demo', 'trash'))).toBe(false);
    const mended = done(await place.run('features', 'repair', '--device', 'cpu'));
    expect(mended).toMatch(/random-tiny-wavlm@.*: mended[^]*1 row lost, 1 computed again[^]*/);
    expect(mended.match(/: mended/g)).toHaveLength(3);
    expect(done(await place.run('features', 'verify'))).not.toMatch(/DAMAGED/);
    expect(done(await place.run('features', 'repair'))).toMatch(/nothing is damaged/);
    const again = JSON.parse(done(await place.run(...EXTRACT, '--json'))) as { sets: { computed: number }[] };
    expect(again.sets.map(({ computed }) => computed)).toEqual([0, 0, 0]);
    done(await place.run(...train));
  });

  it('repair says what it cannot do, and leaves the rest readable', async () => {
    spoil(fileOf(place, 'random-tiny-wavlm', 'shards'));
    const partly = await place.run('features', 'repair', '--no-extract');
    expect(partly.code).toBe(3);
    expect(partly.out).toMatch(/NOT mended[^]*1 row lost, 0 computed again[^]*--no-extract/);
    expect(done(await place.run('features', 'verify'))).toMatch(/every byte/);
    done(await place.run(...EXTRACT));
  });

  it('an index that was removed is missed by all, and made anew', async () => {
    const index = fileOf(place, 'random-tiny-alexnet', 'index');
    rmSync(index);
    const push = ['push', place.path('remote-of-lost'), '--dataset', 'demo'];
    for (const command of [EXTRACT, push, ['train', '--features', 'alexnet=random-tiny-alexnet']]) {
      const refused = await place.run(...command);
      expect([refused.code, refused.err]).toEqual([
        2,
        expect.stringMatching(/1 shard, and no index: `lsgmer features repair` makes it anew from them/),
      ]);
    }
    expect(done(await place.run('features', 'repair', '--dry-run'))).toMatch(/from its shards: 50 rows\n/);
    expect(done(await place.run('features', 'repair'))).not.toMatch(/computed/);
    const kept = JSON.parse(done(await place.run(...EXTRACT, '--json'))) as { sets: { computed: number }[] };
    expect(kept.sets.map(({ computed }) => computed)).toEqual([0, 0, 0]);

    // older shards do not say what their rows were computed from
    forgetInputs(join(index, '..', '..'));
    rmSync(index);
    for (const [command, code, said] of [
      ['status', 3, /random-tiny-alexnet: .*: 1 shard, and no index/],
      ['verify', 3, /random-tiny-alexnet@.*50 rows that no other has\): an index part is gone/],
      ['gc --dry-run', 0, /let be .*random-tiny-alexnet@.*1 shard with 50 rows/],
      [
        'repair --dry-run',
        0,
        /main would be made anew from its shards: 50 rows; what 50 of them [^]*50 rows/,
      ],
      ['repair --device cpu', 0, /alexnet@.*: mended[^]*50 computed again/],
      ['verify', 0, /every byte is as it was written/],
    ] as const) {
      const ended = await place.run('features', ...command.split(' '));
      expect([command, ended.code, ended.out]).toEqual([command, code, expect.stringMatching(said)]);
    }
    expect(existsSync(index)).toBe(true);
  });

  it('a feature.json that was removed is missed by all, and made anew', async () => {
    const spec = fileOf(place, 'random-tiny-wavlm', 'feature.json');
    rmSync(spec);
    const line = 'feature.json is missing: run `lsgmer features repair`';
    const push = ['features', 'push', place.path('remote'), '--dataset', 'demo'];
    for (const [command, code] of [
      [['features', 'status'], 3],
      [push, 2],
      [['train', '--dataset', 'demo', '--dry-run'], 2],
    ] as const) {
      const ended = await place.run(...command);
      expect([command, ended.code, ended.err]).toEqual([command, code, expect.stringContaining(line)]);
    }
    done(await place.run(...push, '--feature', 'random-tiny-roberta', '--dry-run'));
    expect(done(await place.run('features', 'repair'))).toMatch(/feature.json written anew from the shards/);
    done(await place.run('features', 'status'));
  });

  it('a row of older shards whose input digest is lost is computed again, and the dry run says that it may be', async () => {
    const index = fileOf(place, 'random-tiny-roberta', 'index');
    forgetInputs(join(index, '..', '..'));
    const text = readFileSync(index, 'utf8');
    // still an entry, of another text
    writeFileSync(index, text.replace(/("input":")[0-9a-f]{4}/, '$10000'));
    expect(done(await place.run('features', 'repair', '--dry-run'))).toMatch(
      /main would be made anew from its shards: 50 rows\n[^]*another text or recording than the manifest/,
    );
    expect(done(await place.run('features', 'repair', '--device', 'cpu'))).toMatch(
      /roberta@.*: mended[^]*\n {2}1 row computed again/,
    );
    // and the last one, whose entry cannot be made out
    writeFileSync(index, readFileSync(index, 'utf8').replace(/^([^]*"input":")[0-9a-f]{4}/, '$1"{{{'));
    const planned = done(await place.run('features', 'repair', '--dry-run'));
    expect(planned).toMatch(
      /50 rows; what 1 of them [^\n]*computed again\n[^]*1 row lost, or of unknown input, to be computed/,
    );
    expect(done(await place.run('features', 'repair', '--device', 'cpu'))).toMatch(
      /1 row lost, or of unknown input, 1 computed again/,
    );
  });

  it('a manifest that was changed or removed is told, and built again', async () => {
    const info = place.path('store', 'demo', 'manifest.json');
    const rows = place.path(
      'store',
      'demo',
      'manifests',
      readdirSync(place.path('store', 'demo', 'manifests'))[0] ?? '',
    );
    for (const [break_, command, line] of [
      [() => spoil(rows), 'verify', /was changed or cut short[^]*the manifest is not/],
      [() => spoil(rows), 'repair', /left as it is: .* was changed or cut short/],
      [() => rmSync(info), 'verify', /manifest.json is missing/],
      [() => rmSync(info), 'status', /manifest.json is missing/],
    ] as const) {
      break_();
      const ended = await place.run('features', command, '--dataset', 'demo');
      expect([command, ended.code, `${ended.out}${ended.err}`]).toEqual([
        command,
        3,
        expect.stringMatching(line),
      ]);
      done(
        await place.run('manifest', 'build', '--dataset', 'demo', '--root', place.path('corpus'), '--subset'),
      );
    }
    expect(done(await place.run('features', 'verify'))).toMatch(/every byte is as it was written/);
  });

  it('compact merges what two writers wrote', async () => {
    const [id] = readdirSync(place.path('store', 'demo', 'random-tiny-wavlm'));
    const parts = (): string[] =>
      readdirSync(place.path('store', 'demo', 'random-tiny-wavlm', id ?? '', 'index'));
    done(await place.run(...EXTRACT, '--part', 'second', '--store-dtype', 'float16'));
    done(await place.run('features', 'compact', '--part', 'all'));
    expect(parts()).toEqual(['all.json']);
    const [wavlm] = (
      JSON.parse(done(await place.run('features', 'status', '--json'))) as {
        feature: string;
        coverage: { missing: string[] };
        parts: { name: string }[];
      }[]
    ).filter(({ feature }) => feature === 'random-tiny-wavlm');
    expect(wavlm).toMatchObject({ coverage: { missing: [] }, parts: [{ name: 'all' }] });
  });

  it('verify shows ten of the rows of a shard that is gone, and all as data', async () => {
    const index = fileOf(place, 'random-tiny-roberta', 'index');
    const { shards: listed } = JSON.parse(readFileSync(index, 'utf8')) as { shards: { sha256: string }[] };
    expect(listed).toHaveLength(1);
    const shard = join(index, '..', '..', 'shards', `sha256-${listed[0]?.sha256}.arrow`);
    renameSync(shard, `${shard}.away`);
    const shown = await place.run('features', 'verify', '--feature', 'random-tiny-roberta');
    expect([shown.code, shown.out]).toEqual([
      3,
      expect.stringMatching(/\.\.\. and 40 more \(--json lists all\)/),
    ]);
    expect(shown.out.match(/^ +demo\//gm)).toHaveLength(10);
    const data = await place.run('features', 'verify', '--feature', 'random-tiny-roberta', '--json');
    const { sets } = JSON.parse(data.out) as { sets: { shards: { badRows: object[] }[] }[] };
    expect(sets[0]?.shards[0]?.badRows).toHaveLength(50);
    renameSync(`${shard}.away`, shard);
  });

  it('gc shows, does not ask where nobody is there, and moves to the trash', async () => {
    done(await place.run(...EXTRACT, '--store-dtype', 'float32')); // newer fingerprints; the old ones are pinned by the run
    expect(done(await place.run('features', 'gc', '--dry-run'))).toMatch(/\d runs? uses? it/);
    const pins = place.path('store', 'demo', 'pins');
    expect(readdirSync(pins).length).toBeGreaterThan(0);
    for (const pin of readdirSync(pins))
      writeFileSync(join(pins, pin), JSON.stringify({ format: 1, run: 'x', fingerprints: {} }));
    const asked = await place.run('features', 'gc');
    expect([asked.code, asked.err]).toEqual([2, expect.stringMatching(/--dry-run.*--yes/)]);
    for (const [command, code, said] of [
      ['compact --part other', 3, /may not be written, and is left as it is: 1 part would become other/],
      ['compact --part other --dry-run', 0, /may not be written/],
      ['gc --force --yes', 3, /may not be written, and is left as it is: \d+ items would go/],
      ['gc --force --dry-run', 0, /may not be written/],
      // nothing of its own is there
      ['gc --yes', 0, /may not be written, and is left as it is\n/],
    ] as const) {
      const ended = asReader('features', ...command.split(' '), '--dataset', 'demo');
      if (ended === null) console.log(`skipped: features ${command} as an account that may only read`);
      else expect([command, ended.code, ended.out]).toEqual([command, code, expect.stringMatching(said)]);
    }
    expect(done(await place.run('features', 'gc', '--yes'))).toMatch(/to trash .*random-tiny-wavlm/);
    expect(done(await place.run('features', 'gc', '--yes'))).toMatch(/nothing to clean up/);
    expect(readdirSync(place.path('store', 'demo', 'random-tiny-wavlm'))).toHaveLength(1);
  });

  it('inspect shows dimensions, speakers and suspicious rows', async () => {
    const out = done(await place.run('features', 'inspect', '--json'));
    const [one] = JSON.parse(out) as { dimensions: object[]; speakers: object[]; utterances: number }[];
    expect(one?.dimensions.length).toBeGreaterThan(50);
    expect(one?.speakers.length).toBe(10);
    expect(done(await place.run('features', 'inspect'))).toMatch(/norm of a step, by speaker/);
  });
});
