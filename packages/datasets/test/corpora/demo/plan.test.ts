import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../../src/base/canonical-json.ts';
import { DEMO_CLASSES, PROSODY_RELIABILITY, WORDS_RELIABILITY } from '../../../src/corpora/demo/ceilings.ts';
import { planDemo, quotas, type DemoTurn } from '../../../src/corpora/demo/plan.ts';

const plan = planDemo(1, 800);
const turns = plan.flatMap((dialogue) => dialogue.turns.map((turn, place) => ({ ...turn, dialogue, place })));
const task = turns.filter((turn) => turn.emotion !== null);
const share = <T>(rows: readonly T[], keep: (row: T) => boolean) => rows.filter(keep).length / rows.length;
const truth = (turn: DemoTurn) => DEMO_CLASSES.find((one) => one.name === turn.emotion);

function groupBy<T>(rows: readonly T[], key: (row: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) groups.set(key(row), [...(groups.get(key(row)) ?? []), row]);
  return groups;
}

describe('planDemo', () => {
  it('has the classes, sessions and speakers that it should', () => {
    expect(task).toHaveLength(800);
    for (const one of DEMO_CLASSES) expect(share(task, (turn) => turn.emotion === one.name)).toBe(one.prior);
    for (let session = 1; session <= 5; session++) {
      expect(task.filter((turn) => turn.dialogue.session === session)).toHaveLength(160);
    }
    const speakers = new Set(turns.map((turn) => turn.speaker));
    expect(speakers.size).toBe(10);
    expect(new Set(turns.map((turn) => turn.name)).size).toBe(turns.length);
    expect(new Set(turns.map((turn) => turn.label))).toEqual(
      new Set(['ang', 'hap', 'exc', 'sad', 'neu', 'xxx', 'fru']),
    );
    // the markers' wearer says nothing of who speaks
    const wearer = share(turns, (turn) => turn.dialogue.name[5] === turn.name.at(-4));
    expect(wearer).toBeGreaterThan(0.4);
    expect(wearer).toBeLessThan(0.6);
  });

  it('has the reliabilities that it states, to a percent, and cues that are independent given the label', () => {
    for (const [cues, reliability] of [
      ['words', WORDS_RELIABILITY],
      ['prosody', PROSODY_RELIABILITY],
    ] as const) {
      for (const dimension of ['arousal', 'valence'] as const) {
        const right = share(task, (turn) => turn[cues][dimension] === truth(turn)?.[dimension]);
        expect(Math.abs(right - reliability[dimension]), `${cues} ${dimension}`).toBeLessThan(0.01);
      }
    }
    const bits = (turn: DemoTurn) => [
      turn.words.arousal === truth(turn)?.arousal,
      turn.words.valence === truth(turn)?.valence,
      turn.prosody.arousal === truth(turn)?.arousal,
      turn.prosody.valence === truth(turn)?.valence,
    ];
    for (const one of DEMO_CLASSES) {
      const rows = task.filter((turn) => turn.emotion === one.name).map(bits);
      for (let i = 0; i < 4; i++) {
        for (let j = 0; j < i; j++) {
          const [p, q] = [share(rows, (row) => row[i] === true), share(rows, (row) => row[j] === true)];
          const together = share(rows, (row) => row[i] === true && row[j] === true);
          expect(Math.abs(together - p * q), `${one.name} ${i} ${j}`).toBeLessThan(0.02);
        }
      }
    }
  });

  it('repeats a fifth of the texts in every session, as scripts', () => {
    const scripted = task.filter((turn) => turn.dialogue.name.includes('script'));
    expect(scripted.length / task.length).toBe(0.2);
    const lines = groupBy(scripted, (turn) => turn.text);
    expect(lines.size).toBe(32);
    expect([...lines.values()].every((rows) => rows.length === 5)).toBe(true);
    for (const rows of lines.values())
      expect(new Set(rows.map((row) => row.dialogue.session))).toEqual(new Set([1, 2, 3, 4, 5]));
    const improvised = turns.filter((turn) => turn.dialogue.name.includes('impro'));
    expect(new Set(improvised.map((turn) => turn.text)).size).toBe(improvised.length);
    expect(
      share(
        turns.filter((turn) => turn.emotion === null),
        (turn) => turn.dialogue.name.includes('impro'),
      ),
    ).toBe(1);
  });

  it('leaves the class of a repeated line open: other sessions tell no more than its words', () => {
    // guess the class of a line from the other sessions' classes, among those lines whose words show the same
    const scripted = task.filter((turn) => turn.dialogue.name.includes('script'));
    let [pairs, agree, expected] = [0, 0, 0];
    for (const rows of groupBy(scripted, (turn) => `${turn.words.arousal} ${turn.words.valence}`).values()) {
      const others = (row: (typeof rows)[number], same: boolean) =>
        rows.filter((other) => other !== row && (other.text === row.text) === same);
      for (const row of rows) {
        const [same, different] = [others(row, true), others(row, false)];
        agree += share(same, (other) => other.emotion === row.emotion);
        expected += share(different, (other) => other.emotion === row.emotion);
        pairs++;
      }
    }
    expect(pairs).toBe(160);
    expect(Math.abs(agree - expected) / pairs).toBeLessThan(0.06);
  });

  it('puts script lines so that place and speaker tell nothing of their words', () => {
    const [one, two] = ['Ses01F_script01_1', 'Ses01M_script02_1'].map(
      (name) => plan.find((dialogue) => dialogue.name === name)?.turns ?? [],
    ) as [readonly DemoTurn[], readonly DemoTurn[]];
    expect(one).toHaveLength(16);
    const letter = (turn: DemoTurn | undefined) => turn?.name.at(-4);
    two.forEach((turn, i) => {
      expect(turn.words).toEqual(one[15 - i]?.words);
      expect(letter(turn)).not.toBe(letter(one[15 - i]));
    });
  });

  it('is the same for the same seed, and another for another', () => {
    const digest = (seed: number) =>
      sha256Hex(
        planDemo(seed, 800)
          .flatMap((one) => one.turns.map((turn) => `${turn.name} ${turn.label} ${turn.text}\n`))
          .join(''),
      );
    // another digest is another corpus: raise DEMO_VERSION, and make the card again
    expect(digest(1)).toBe('adfc1b9eca3748eeca2c99fadecfa7fe4de7bf1b145ccaee05a92466f1c9214f');
    expect(digest(2)).not.toBe(digest(1));
  });

  it('comes in other sizes, and refuses those that do not divide', () => {
    for (const size of [40, 45, 400, 1200]) {
      const rows = planDemo(3, size).flatMap((dialogue) => dialogue.turns);
      expect(rows.filter((turn) => turn.emotion !== null)).toHaveLength(size);
    }
    for (const size of [0, 35, 401]) {
      expect(() => planDemo(1, size)).toThrow('expected a multiple of 5, 40 or more');
    }
  });
});

describe('quotas', () => {
  it('gives the rest to the largest remainders', () => {
    expect(quotas([0.5, 0.3, 0.2], 10)).toEqual([5, 3, 2]);
    expect(quotas([1, 1, 1], 10)).toEqual([4, 3, 3]);
    // 4.6, 3.7, 1.7: two more to share, for .7 and .7
    expect(quotas([0.46, 0.37, 0.17], 10)).toEqual([4, 4, 2]);
  });
});
