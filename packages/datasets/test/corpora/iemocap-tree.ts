import { putFiles } from '../support.ts';
import type { Card } from '../../src/manifest/card.ts';

/** One utterance of a tree in IEMOCAP's layout. */
export interface TreeTurn {
  /** `Ses01F_impro01_M000` */
  readonly name: string;
  readonly label: string;
  readonly text: string;
}

/** Text files of a tree in IEMOCAP's layout, by path; two seconds a turn. */
export function treeFiles(turns: readonly TreeTurn[]): Record<string, string> {
  const files: Record<string, string> = {};
  const places = new Map<string, number>();
  for (const { name, label, text } of turns) {
    const dialogue = name.replace(/_[FM]\w+$/, '');
    const folder = `Session${name[4]}/dialog`;
    const evaluation = `${folder}/EmoEvaluation/${dialogue}.txt`;
    const transcript = `${folder}/transcriptions/${dialogue}.txt`;
    const start = 2 * (places.get(dialogue) ?? 0);
    places.set(dialogue, start / 2 + 1);
    files[evaluation] ??= '% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n';
    files[evaluation] +=
      `[${start.toFixed(4)} - ${(start + 2).toFixed(4)}]\t${name}\t${label}\t[2.5000, 2.5000, 2.5000]\n`;
    files[evaluation] += 'C-E2:\tNeutral state;\t()\nA-E3:\tval 3; act 2; dom  2;\t()\n\n';
    files[transcript] =
      `${files[transcript] ?? ''}${name} [${start.toFixed(4)}-${(start + 2).toFixed(4)}]: ${text}\n`;
  }
  return files;
}

/**
 * The turns of a corpus with exactly the counts of IEMOCAP's card: labels by session, speakers and styles of the
 * 4-class set, dialogues. Labels outside the tasks are spread over the sessions to give their totals.
 */
export function turnsOfCard(card: Card): TreeTurn[] {
  const four = card.tasks.find((task) => task.name === '4class')?.counts;
  const improvised = card.tasks.find((task) => task.name === '4class-improvised')?.counts?.sessions ?? {};
  const noExcited = card.tasks.find((task) => task.name === '4class-noexc')?.counts?.sessions ?? {};
  const rest = Object.entries(card.expected?.labels ?? {})
    .filter(([label]) => !['neu', 'ang', 'sad', 'exc', 'hap'].includes(label))
    .flatMap(([label, count]) => Array.from({ length: count }, () => label));
  const dialogues = card.expected?.dialogues ?? 0;
  return Object.entries(card.expected?.sessions ?? {}).flatMap(([session, total], index) => {
    const counts = four?.classesBySession?.[session] ?? {};
    const all = four?.sessions?.[session] ?? 0;
    const excited = all - (noExcited[session] ?? 0);
    const repeat = (label: string, count: number) => Array.from({ length: count }, () => label);
    const inTask = [
      ...repeat('ang', counts['angry'] ?? 0),
      ...repeat('exc', excited),
      ...repeat('hap', (counts['happy'] ?? 0) - excited),
      ...repeat('sad', counts['sad'] ?? 0),
      ...repeat('neu', counts['neutral'] ?? 0),
    ];
    const women = four?.speakers?.[`${index + 1}F`] ?? 0;
    const own = Math.floor(dialogues / 5) + (index < dialogues % 5 ? 1 : 0);
    const labels = [...inTask, ...rest.splice(0, total - all)];
    const spoken = new Map<string, number>();
    return labels.map((label, i): TreeTurn => {
      const style = i < (improvised[session] ?? 0) ? 'impro' : 'script';
      // half of the session's dialogues are of each style; turns outside the task go to all of them in turn
      const half = style === 'impro' ? Math.floor(own / 2) : own - Math.floor(own / 2);
      const number = (i % half) + 1;
      const dialogue = `${session}${number % 2 === 0 ? 'F' : 'M'}_${style}${String(number).padStart(2, '0')}`;
      const letter = i < women ? 'F' : 'M';
      const key = `${dialogue}_${letter}`;
      const place = spoken.get(key) ?? 0;
      spoken.set(key, place + 1);
      return { name: `${key}${String(place).padStart(3, '0')}`, label, text: `Turn ${i}.` };
    });
  });
}

/** Writes a tree in IEMOCAP's layout without recordings. */
export function putTree(root: string, turns: readonly TreeTurn[]): void {
  putFiles(root, treeFiles(turns));
}
