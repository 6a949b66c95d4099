import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserErrors } from '../../src/base/errors.ts';
import { Card, loadCard, type Task } from '../../src/manifest/card.ts';
import { repositoryFile, temporaryFolder } from '../support.ts';

const iemocap = loadCard(repositoryFile('manifests/iemocap.json'));
const meld = loadCard(repositoryFile('manifests/meld.json'));
const demo = loadCard(repositoryFile('manifests/demo.json'));
const sum = (counts: Record<string, number> | undefined) =>
  Object.values(counts ?? {}).reduce((a, b) => a + b, 0);

describe('committed cards', () => {
  it('has the tasks of IEMOCAP and MELD with their sizes', () => {
    expect(iemocap.tasks.map((task) => [task.name, task.expected])).toEqual([
      ['4class', 5531],
      ['4class-noexc', 4490],
      ['4class-improvised', 2943],
      ['6class', 7380],
    ]);
    expect(iemocap.tasks[0]?.classes).toEqual([
      { name: 'angry', labels: ['ang'] },
      { name: 'happy', labels: ['hap', 'exc'] },
      { name: 'sad', labels: ['sad'] },
      { name: 'neutral', labels: ['neu'] },
    ]);
    expect([iemocap.restricted, meld.restricted]).toEqual([true, true]);
    expect(meld.tasks.map((task) => [task.name, task.expected, task.metric])).toEqual([
      ['emotion7', 13708, 'wf1'],
      ['sentiment3', 13708, 'wf1'],
    ]);
    expect(demo.synthetic).toBe(true);
  });

  it.each([iemocap, demo, meld])('$name adds up', (card) => {
    expect(sum(card.expected?.labels)).toBe(card.expected?.labelled);
    for (const counts of [card.expected?.sessions, card.expected?.splits]) {
      if (counts !== undefined) expect(sum(counts)).toBe(card.expected?.labelled);
    }
    const ofLabels = (task: Task) =>
      task.classes
        .flatMap((one) => one.labels)
        .reduce((n, label) => n + (card.expected?.labels?.[label] ?? NaN), 0);
    for (const task of card.tasks) {
      if (task.tags === undefined && task.label === undefined) expect(ofLabels(task)).toBe(task.expected);
      const { classes, sessions, splits, speakers } = task.counts ?? {};
      for (const counts of [classes, sessions, splits, speakers]) {
        if (counts !== undefined) expect(sum(counts)).toBe(task.expected);
      }
      for (const [session, counts] of Object.entries(task.counts?.classesBySession ?? {})) {
        expect(sum(counts)).toBe(task.counts?.sessions?.[session]);
      }
      for (const [split, counts] of Object.entries(task.counts?.classesBySplit ?? {})) {
        expect(sum(counts)).toBe(task.counts?.splits?.[split]);
      }
    }
  });
});

describe('loadCard', () => {
  const broken = (change: (card: Record<string, unknown>) => void): string[] => {
    const file = join(temporaryFolder(), 'card.json');
    const card = structuredClone(demo) as unknown as Record<string, unknown>;
    change(card);
    writeFileSync(file, JSON.stringify(card));
    try {
      loadCard(file);
    } catch (error) {
      expect(error).toBeInstanceOf(UserErrors);
      return (error as UserErrors).problems.map((line) => line.replace(file, 'card.json'));
    }
    return [];
  };

  it('lists every problem with its place', () => {
    expect(
      broken((card) => {
        card['adapter'] = 'iemocapp';
        card['licence'] = 7;
        card['surprise'] = true;
      }),
    ).toEqual([
      'card.json: adapter: Invalid option: expected one of "iemocap"|"meld"|"table"',
      'card.json: licence: expected string, received number',
      'card.json: surprise: no such key',
    ]);
  });

  it('refuses a label in two classes and a task that is there twice', () => {
    const twice = (card: Record<string, unknown>) => {
      const [task] = card['tasks'] as Task[];
      const other = structuredClone(task) as Task;
      (other.classes[3] as { labels: string[] }).labels = ['neu', 'ang'];
      card['tasks'] = [task, other];
    };
    expect(broken(twice)).toEqual([
      'card.json: tasks[1].classes[3].labels: label ang is already in class angry',
      'card.json: tasks[1].name: task 4class is there twice',
    ]);
    expect(
      broken((card) => (card['tasks'] = [...(card['tasks'] as Task[]), ...(card['tasks'] as Task[])])),
    ).toEqual(['card.json: tasks[1].name: task 4class is there twice']);
  });

  it('refuses names that cannot be folders', () => {
    for (const name of ['', '.', '..', 'a/b', 'a b']) {
      expect(Card.safeParse({ ...demo, name }).success, name).toBe(false);
    }
  });
});

describe("a card of one's own", () => {
  const page = readFileSync(repositoryFile('docs/datasets.md'), 'utf8');
  const example = /```json\n([\s\S]*?)```/.exec(page)?.[1] as string;
  const written = (text: string): string => {
    const file = join(temporaryFolder(), 'mycorpus.json');
    writeFileSync(file, text);
    return file;
  };

  it('is read as the documentation shows it', () => {
    const card = loadCard(written(example));
    expect(card.tasks[0]?.classes.map(({ name }) => name)).toEqual(['anger', 'happy', 'neutral']);
    expect(card.defects).toHaveLength(1);
  });

  it('names labels of classes that the corpus does not have', () => {
    const file = written(example.replace('"angry", "irritated"] }', '"angry", "iritated"] }'));
    expect(() => loadCard(file)).toThrow(
      "mycorpus.json: task 3class: class anger: the corpus has no label 'iritated'; the nearest of its labels is irritated",
    );
  });
});
