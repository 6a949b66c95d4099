import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { encodeWav } from '@lsgmer/datasets';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { done, type Ended, WorkFolder } from './command-line.ts';

/** A table of 24 recordings of four speakers in six dialogues, with a split, and one long text on both sides. */
const place = new WorkFolder();

function writeCorpus(change: (line: string, i: number) => string = (line) => line): void {
  const rows = ['file,label,text,speaker,dialogue,split'];
  for (let i = 0; i < 24; i++) {
    const text = i === 0 || i === 23 ? 'we say this again and again' : `words number ${i}`;
    const split = i < 16 ? 'train' : i < 20 ? 'dev' : 'test';
    const line = `r${i}.wav,${i % 2 === 0 ? 'calm' : 'tense'},"${text}",s${i % 4},d${Math.floor(i / 4)},${split}`;
    rows.push(change(line, i));
  }
  writeFileSync(place.path('data.csv'), `${rows.join('\n')}\n`);
}

beforeAll(() => {
  for (let i = 0; i < 24; i++) {
    const samples = Float32Array.from(
      { length: 8000 + 100 * i },
      (_, t) => 0.3 * Math.sin(t * (0.05 + i / 200)),
    );
    writeFileSync(place.path(`r${i}.wav`), encodeWav(samples, 16_000));
  }
  writeCorpus();
});
afterAll(() => place.remove());

const lines = (file: string): { kind: string; level: string; id: string | null }[] =>
  readFileSync(place.path(file), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { kind: string; level: string; id: string | null });

describe('manifest', () => {
  it('validates: a summary with totals on the screen, every problem in a file, warnings are no failure', async () => {
    const out = done(await place.run('manifest', 'build', '--dataset', 'mine', '--root', place.folder));
    expect(out).toMatch(/0 errors, \d+ warnings/);
    expect(out).toMatch(/test: 4 of 4 rows have a speaker of training \(4 speakers\)/);
    expect(out).toMatch(/test: 1 of 4 rows have a text of training \(five or more words; 1 at any length\)/);
    expect(out).toMatch(/all \d+ in .*store\/mine\/validation\.jsonl/);
    const found = lines('store/mine/validation.jsonl');
    expect(found.filter((one) => one.kind === 'leak-text')).toEqual([
      expect.objectContaining({ level: 'warning', id: 'mine/r23', line: 25, file: 'data.csv' }),
    ]);
    done(await place.run('manifest', 'validate', '--dataset', 'mine', '--report', 'mine.jsonl'));
    expect(lines('mine.jsonl')).toEqual(found);
  });

  it('ends with 3 where there are errors, and repairs nothing', async () => {
    const before = readFileSync(place.path('store/mine/manifest.json'), 'utf8');
    writeCorpus((line, i) => (i === 2 ? line.replace('words', 'it\u00E2\u20AC\u2122s') : line));
    const validated = await place.run(
      'manifest',
      'validate',
      '--dataset',
      'mine',
      '--json',
      '--root',
      place.path('data.csv'),
    );
    const { findings } = JSON.parse(done(validated, 3)) as {
      findings: { kind: string; level: string; id: string }[];
    };
    expect(findings.filter((one) => one.level === 'error')).toEqual([
      expect.objectContaining({ kind: 'text-broken', id: 'mine/r2' }),
    ]);
    expect(readFileSync(place.path('store/mine/manifest.json'), 'utf8')).toBe(before);
    writeCorpus();
  });

  it('names recordings of a copy that are not those of the manifest', async () => {
    cpSync(place.path('data.csv'), place.path('copy', 'data.csv'));
    for (let i = 0; i < 24; i++) cpSync(place.path(`r${i}.wav`), place.path('copy', `r${i}.wav`));
    const validate = (...more: string[]): Promise<Ended> =>
      place.run('manifest', 'validate', '--dataset', 'mine', '--root', place.path('copy'), '--all', ...more);
    expect(done(await validate())).not.toMatch(/media-changed/);
    writeFileSync(place.path('copy', 'r5.wav'), readFileSync(place.path('copy', 'r6.wav')));
    expect(done(await validate(), 3)).toMatch(
      /error: r5\.wav mine\/r5: media-changed: expected the manifest's recording \(sha256 [0-9a-f]{12}\), found another one/,
    );
    expect(done(await validate('--media', 'headers'))).not.toMatch(/media-changed/);
    done(await place.run('manifest', 'validate', '--dataset', 'mine', '--root', place.path('data.csv')));
  });

  it('counts and draws', async () => {
    const out = done(await place.run('manifest', 'stats', '--dataset', 'mine'));
    expect(out).toMatch(/mine: 24 utterances, 24 with a label, 4 speakers, 6 dialogues/);
    expect(out).toMatch(/train\s+8\s+8\s+16/);
    expect(out).toMatch(/wavlm-large\s+1024\s+24/);
    expect(readFileSync(place.path('store/mine/stats.html'), 'utf8')).toMatch(/<svg/);
    const json = JSON.parse(
      done(await place.run('manifest', 'stats', '--json', '--where', 'split!=dev and seconds<0.6')),
    ) as { utterances: number };
    // r0 to r15 last 0.5 s and 6.25 ms more each: the first 16 are under 0.6 s
    expect(json.utterances).toBe(16);
  });

  it('tells two manifests apart, by digest and by dataset', async () => {
    const digest = /sha256-([0-9a-f]{64})/.exec(
      readFileSync(place.path('store/mine/manifest.json'), 'utf8'),
    )?.[1];
    writeCorpus((line, i) => (i === 3 ? line.replace('tense', 'calm') : line));
    done(await place.run('manifest', 'build', '--dataset', 'mine', '--root', place.path('data.csv')));
    const out = done(await place.run('manifest', 'diff', (digest as string).slice(0, 10), 'mine'));
    expect(out).toMatch(/0 added, 0 removed, 1 changed, 23 unchanged/);
    expect(out).toMatch(/tense\s+calm\s+1/);
    expect(out).toContain('mine/r3: rawLabel "tense" -> "calm"');
    const nothing = await place.run('manifest', 'diff', 'mine', 'nothing');
    expect([nothing.code, nothing.err.trim().split('\n').length]).toEqual([2, 1]);
    expect(existsSync(place.path('store/mine/manifests'))).toBe(true);
  });

  it('takes tags from columns of the table, remembers them, and selects by them', async () => {
    const build = ['manifest', 'build', '--dataset', 'tagged', '--root', place.folder];
    done(await place.run(...build, '--columns', 'table=data.csv,tags.scene=dialogue'));
    done(await place.run('manifest', 'build', '--dataset', 'tagged'));
    const rows = done(
      await place.run('manifest', 'folds', '--dataset', 'tagged', '--where', 'tags.scene=d0,d5', '--json'),
    );
    expect(rows).toContain('tagged/r0');
    expect(rows).not.toContain('tagged/r4"');
    const wrong = await place.run(...build, '--columns', 'tag.scene=dialogue');
    expect(wrong.err).toContain('tags.NAME');
  });

  it('remembers a card that it was given, until another is asked for', async () => {
    const build = [
      'manifest',
      'build',
      '--dataset',
      'carded',
      '--root',
      place.folder,
      '--columns',
      'table=data.csv',
    ];
    done(await place.run(...build));
    const tasks = (): string[] => {
      const info = JSON.parse(readFileSync(place.path('store/carded/manifest.json'), 'utf8')) as {
        card: { content: { tasks: { name: string }[] } };
      };
      return info.card.content.tasks.map(({ name }) => name);
    };
    expect(tasks()).toEqual(['emotion']);
    const { card } = JSON.parse(readFileSync(place.path('store/carded/manifest.json'), 'utf8')) as {
      card: { content: { tasks: { name: string }[] } };
    };
    const own = { ...card.content, tasks: card.content.tasks.map((task) => ({ ...task, name: 'arousal' })) };
    writeFileSync(place.path('card.json'), JSON.stringify(own));
    done(await place.run(...build, '--card', place.path('card.json')));
    expect(tasks()).toEqual(['arousal']);
    for (const command of ['build', 'validate']) {
      const again = await place.run('manifest', command, '--dataset', 'carded');
      expect(again.code, again.err).toBe(0);
      expect(again.err).toContain('card: the one that carded was built with (arousal)');
      expect(again.out).toContain('task arousal');
      expect(tasks()).toEqual(['arousal']);
    }
    const anew = await place.run(...build, '--card', 'auto');
    expect(anew.code, anew.err).toBe(0);
    expect(tasks()).toEqual(['emotion']);
    // A card that was derived follows the rows: it is not taken for one that was given.
    expect((await place.run(...build)).err).not.toContain('card:');
  });
});

describe('features and train', () => {
  const train = (...args: string[]): Promise<Ended> =>
    place.run(
      'train',
      '--dataset',
      'mine',
      '--set',
      'epochs=1',
      '--set',
      'd=16',
      '--set',
      'heads=2',
      ...args,
    );

  it('extracts what a filter leaves', async () => {
    const args = ['features', 'extract', '--dataset', 'mine', '--preset', 'tiny', '--device', 'cpu'];
    const ended = await place.run(...args, '--dry-run', '--where', 'split=test,dev and speaker!=s0');
    expect(done(ended)).toMatch(/random-tiny-wavlm\s+\w+\s+6\s+0\s+0/);
    expect(ended.err).toMatch(/where split=test,dev and speaker!=s0: 6 of 24 utterances/);
  });

  it('cuts folds as asked, carves dev, filters, and says so', async () => {
    done(await place.run('features', 'extract', '--dataset', 'mine', '--preset', 'tiny', '--device', 'cpu'));
    const plain = done(await train('--dry-run'));
    expect(plain).toMatch(/fixed split: train against test \(SPEAKER-DEPENDENT\)/);
    expect(plain).toMatch(/test\s+seed 1\s+16\s+4\s+4\s+to do/);
    expect(done(await train('--dry-run', '--dev', 'none', '--protocol', 'fixed-split'))).toBe(plain);
    const merged = await train('--dry-run', '--protocol', 'fixed-split+dev', '--dev', 'dialogue:0.2');
    expect(done(merged)).toMatch(/test\s+seed 1\s+16\s+4\s+4\s+to do/);
    expect(merged.err).toMatch(/fold test: dev is 1 dialogue, 4 utterances/);
    expect(done(await train('--dry-run', '--protocol', 'by-speaker'))).toMatch(/folds by speaker\n/);
    const clean = done(await train('--where', 'not leaked'));
    expect(clean).toMatch(
      /fixed split: train against test; dev \(not trained on\): 4 utterances a fold; where not leaked/,
    );
    expect(clean).toMatch(/SPEAKER-DEPENDENT: speakers of the test part are also in training/);
    expect(clean).toMatch(/3 of 3/);
    const random = JSON.parse(done(await train('--protocol', 'random:2:5', '--json'))) as object;
    expect(random).toMatchObject({
      folds: ['k01', 'k02'],
      protocol: { name: '2 random folds (seed 5)', speakerDependent: true, where: null },
      dev: [0, 0],
    });
  });

  it('refuses in one line what it does not know', async () => {
    for (const [args, what] of [
      [['--protocol', 'loso'], /no protocol 'loso': choose one of leave-one-session-out/],
      [['--dev', 'half'], /--dev half: expected none, session/],
      [['--dev', 'dialogue'], /fold test has a dev part of 4 utterances/],
      [['--where', 'speaker=s9'], /no utterance has speaker 's9': there is s0, s1, s2, s3/],
      [['--where', 'speeker=s1'], /there is no field 'speeker'/],
    ] as const) {
      const { code, err } = await train('--dry-run', ...args);
      expect(code, err).toBe(2);
      expect(err).toMatch(what);
    }
  });
});
