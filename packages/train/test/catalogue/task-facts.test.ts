import { describe, expect, it } from 'vitest';
import type { Card, Manifest, Utterance } from '@lsgmer/datasets';
import { taskFacts } from '../../src/catalogue/task-facts.ts';

const row = (id: string, rawLabel: string, dialogue: string | null): Utterance =>
  ({ id, rawLabel, dialogue, annotations: [], tags: {} }) as unknown as Utterance;
const card = {
  synthetic: true,
  name: 'demo',
  tasks: [
    {
      name: '2class',
      classes: [
        { name: 'happy', labels: ['hap', 'exc'] },
        { name: 'sad', labels: ['sad'] },
      ],
      metric: 'wf1',
    },
  ],
} as unknown as Card;
const utterances = [row('demo/a', 'exc', 'd1'), row('demo/b', 'sad', null), row('demo/c', 'xxx', 'd1')];

describe('taskFacts', () => {
  it('tells class and dialogue of the utterances of a task', () => {
    const facts = taskFacts({ card, utterances } as unknown as Manifest, '2class');
    expect(facts).toMatchObject({ classes: ['happy', 'sad'], metric: 'wf1', synthetic: true });
    expect(['demo/a', 'demo/b', 'demo/c'].map(facts.labelOf)).toEqual([0, 1, undefined]);
    expect(['demo/a', 'demo/b', 'demo/x'].map(facts.dialogueOf)).toEqual(['d1', null, null]);
    expect([...facts.utterances.keys()]).toEqual(['demo/a', 'demo/b']);
  });
});
