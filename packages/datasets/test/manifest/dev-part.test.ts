import { describe, expect, it } from 'vitest';
import { carveDev, devRuleText, parseDevRule } from '../../src/manifest/dev-part.ts';
import { planFolds, type Fold } from '../../src/manifest/folds.ts';
import { row } from '../support.ts';

/** Five sessions of two speakers and four dialogues each, in which both speak: 80 utterances. */
const rows = Array.from({ length: 80 }, (_, i) => {
  const session = 1 + (i % 5);
  const dialogue = Math.floor(i / 5) % 4;
  const speaker = `${session}${Math.floor(i / 20) % 2 === 0 ? 'F' : 'M'}`;
  return row(`d/${String(i).padStart(2, '0')}`, {
    session: `Ses0${session}`,
    dialogue: `Ses0${session}_${dialogue}`,
    speaker,
  });
});
const byId = new Map(rows.map((one) => [one.id, one]));
const values = (ids: readonly string[], field: 'session' | 'dialogue' | 'speaker') =>
  [...new Set(ids.map((id) => byId.get(id)?.[field] ?? ''))].sort();
const sessions = planFolds({ kind: 'leave-one-session-out' }, rows);
const carve = (fold: Fold, rule: string) => carveDev(fold, parseDevRule(rule), rows);

function expectWhole(fold: Fold, carved: Fold): void {
  expect(carved.test).toBe(fold.test);
  const train = new Set(carved.train);
  expect(carved.dev.some((id) => train.has(id))).toBe(false);
  // nothing is lost, and the order stays
  const dev = new Set(carved.dev);
  expect(fold.train.filter((id) => !dev.has(id))).toEqual(carved.train);
  expect(fold.train.filter((id) => dev.has(id))).toEqual(carved.dev);
}

describe('devRuleText', () => {
  it.each(['none', 'session', 'session:Ses03', 'dialogue:0.25:9', 'speaker:0.1:1'])(
    'writes %s back',
    (text) => {
      expect(devRuleText(parseDevRule(text))).toBe(text);
    },
  );
});

describe('parseDevRule', () => {
  it('reads the forms', () => {
    expect(parseDevRule('none')).toEqual({ kind: 'none' });
    expect(parseDevRule('session')).toEqual({ kind: 'session', session: null });
    expect(parseDevRule('session:Ses03')).toEqual({ kind: 'session', session: 'Ses03' });
    expect(parseDevRule('dialogue')).toEqual({ kind: 'dialogue', share: 0.1, seed: 1 });
    expect(parseDevRule('dialogue:0.25:9')).toEqual({ kind: 'dialogue', share: 0.25, seed: 9 });
    expect(parseDevRule('speaker:0.2')).toEqual({ kind: 'speaker', share: 0.2, seed: 1 });
  });

  it('shows them', () => {
    for (const wrong of [
      '',
      'half',
      'none:1',
      'session:',
      'session:a:b',
      'dialogue:0.1:x',
      'dialogue:0.1:1:1',
    ])
      expect(() => parseDevRule(wrong), wrong).toThrow(
        'expected none, session[:name], dialogue[:share[:seed]]',
      );
    for (const wrong of ['dialogue:0', 'dialogue:1', 'dialogue:x', 'dialogue:'])
      expect(() => parseDevRule(wrong), wrong).toThrow('the share of the training rows must be');
  });
});

describe('carveDev', () => {
  it('changes nothing for none', () => {
    for (const fold of sessions) {
      expect(carve(fold, 'none')).toEqual({ ...fold, sharedDialogues: 0, sharedRows: 0 });
    }
  });

  it('takes the session after the tested one, after the last the first', () => {
    const dev = sessions.map((fold) => {
      const carved = carve(fold, 'session');
      expectWhole(fold, carved);
      expect(carved.sharedDialogues).toBe(0);
      return values(carved.dev, 'session');
    });
    expect(dev).toEqual([['Ses02'], ['Ses03'], ['Ses04'], ['Ses05'], ['Ses01']]);
    expect(values(carve(sessions[0] as Fold, 'session:Ses04').dev, 'session')).toEqual(['Ses04']);
    expect(() => carve(sessions[3] as Fold, 'session:Ses04')).toThrow(
      'fold Ses04: session Ses04 cannot be its dev part: choose one of Ses01, Ses02, Ses03, Ses05',
    );
  });

  it('takes no session of the tested speaker', () => {
    const [first] = planFolds({ kind: 'leave-one-speaker-out' }, rows);
    expect(first?.id).toBe('spk-1F');
    expect(values(carve(first as Fold, 'session').dev, 'session')).toEqual(['Ses02']);
  });

  it('takes whole dialogues up to a share, by seed', () => {
    for (const fold of sessions) {
      const carved = carve(fold, 'dialogue:0.2');
      expectWhole(fold, carved);
      // 16 training dialogues of 4 utterances: 64 * 0.2 = 12.8, so four dialogues
      expect(carved.dev).toHaveLength(16);
      expect(values(carved.dev, 'dialogue')).toHaveLength(4);
      expect(carved.sharedDialogues).toBe(0);
      expect(carve(fold, 'dialogue:0.2')).toEqual(carved);
      expect(carve(fold, 'dialogue:0.2:2').dev).not.toEqual(carved.dev);
    }
  });

  it('takes speakers, and counts the dialogues that they share with training', () => {
    const fold = sessions[0] as Fold;
    const carved = carve(fold, 'speaker');
    expectWhole(fold, carved);
    expect(values(carved.dev, 'speaker')).toHaveLength(1);
    const train = new Set(carved.train.map((id) => byId.get(id)?.dialogue));
    const both = carved.dev.filter((id) => train.has(byId.get(id)?.dialogue));
    expect(both).toHaveLength(8);
    expect([carved.sharedDialogues, carved.sharedRows]).toEqual([4, 8]);
  });

  it('says what is lacking', () => {
    const bare = [row('d/a', { session: 's' }), row('d/b', { session: 't' })];
    const fold = { id: 'f', train: ['d/a'], dev: [], test: ['d/b'] };
    const bareCarve = (rule: string) => () => carveDev(fold, parseDevRule(rule), bare);
    expect(bareCarve('session')).toThrow('needs two sessions that are not tested, found s');
    expect(bareCarve('dialogue')).toThrow(
      'fold f: a dev part by dialogue needs a dialogue for every training utterance: 1 of 1 have none (first: d/a)',
    );
    expect(() => carve({ ...(sessions[0] as Fold), dev: ['d/00'] }, 'session')).toThrow(
      'has a dev part of 1 utterances: carve another from train and dev together with --protocol fixed-split+dev',
    );
    const one = rows.filter((each) => each.dialogue === 'Ses01_0');
    const single = { id: 'f', train: one.map((each) => each.id), dev: [], test: ['d/01'] };
    expect(() => carve(single, 'dialogue')).toThrow('needs two of them in training, found 1');
  });
});
