import { tableNotes } from '@lsgmer/train';
import type { ReportData } from './report-data.ts';

/** What a rule means, in the words that stand beside its numbers. */
export const RULE_WORDS = {
  last: 'the last epoch',
  dev: 'the best epoch on the dev part',
  'oracle-test': 'ORACLE: the best epoch on the test part itself, which flatters',
} as const;

/** `epoch: last`, or `epoch: oracle-test (ORACLE)`: as it stands in every caption. */
export function ruleText(select: ReportData['select']): string {
  return select === 'oracle-test'
    ? 'epoch: oracle-test (ORACLE: chosen on the test part)'
    : `epoch: ${select}`;
}

/** What must be read before any number: at the top of the page, one line each. */
export function notices(data: ReportData): string[] {
  const { card, groups } = data;
  const features = new Set(
    groups.flatMap(({ group }) => Object.values(group.features).map(({ feature }) => feature)),
  );
  const random = [...features].filter((name) => name.startsWith('random-')).sort();
  const dependent = groups.filter(({ group }) => group.protocol?.speakerDependent === true);
  return [
    ...(card.synthetic
      ? ['SYNTHETIC data: generated speech and words. These numbers say nothing about emotion recognition.']
      : []),
    ...(random.length > 0
      ? [
          `RANDOM encoders (${random.join(', ')}): toy size, seeded random weights. They try the pipeline; their scores mean nothing.`,
        ]
      : []),
    ...(card.restricted
      ? [
          `RESTRICTED corpus: this page holds transcripts and must not be passed on or put on the net. Licence: ${card.licence}`,
        ]
      : []),
    ...(dependent.length > 0
      ? [
          `SPEAKER-DEPENDENT: speakers of the test part are also in training (${dependent.map(({ group }) => group.label).join(', ')}).`,
        ]
      : []),
    ...(data.select === 'oracle-test'
      ? [
          'ORACLE: every number here is from the epoch that was best on the test part itself, unless its row says otherwise.',
        ]
      : []),
    ...(features.has('alexnet-mel')
      ? ['The AlexNet of the mel picture is frozen; the line of work that the paper follows fine-tunes it.']
      : []),
  ];
}

/** What is unlike, missing, unfinished or stale among the rows, one line each; empty where all is alike and whole. */
export function problems(data: ReportData): string[] {
  return [
    ...data.damaged.map(({ problem }) => `DAMAGED run, left out: ${problem}`),
    ...(data.trials === 0
      ? []
      : [`${data.trials} runs without a test part (trials of a sweep) are left out.`]),
    ...merged(tableNotes(data.groups)),
  ];
}

/** `a: x` and `b: x` as `a, b: x`: what is said of several rows is said once. */
function merged(lines: readonly string[]): string[] {
  const rows = new Map<string, string[]>();
  for (const line of lines) {
    const at = line.indexOf(': one seed only');
    const said = at < 0 ? line : line.slice(at);
    rows.set(said, [...(rows.get(said) ?? []), ...(at < 0 ? [] : [line.slice(0, at)])]);
  }
  return [...rows].map(([said, labels]) => `${labels.join(', ')}${said}`);
}
