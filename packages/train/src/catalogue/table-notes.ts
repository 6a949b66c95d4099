import type { GroupScores } from './group-scores.ts';

/**
 * What must stand beside a table of these rows, a line each: rows that differ in more than their settings, numbers
 * that lack runs or utterances, numbers of one seed. Empty where all is alike and whole.
 */
export function tableNotes(rows: readonly GroupScores[]): string[] {
  return [...unlike(rows), ...rows.flatMap(ofRow)];
}

/** Whatever makes two rows incomparable, or comparable only by those who know. */
function unlike(rows: readonly GroupScores[]): string[] {
  const notes: string[] = [];
  const differs = (what: string, of: (row: GroupScores) => string): void => {
    const values = new Map<string, string[]>();
    for (const row of rows) values.set(of(row), [...(values.get(of(row)) ?? []), row.group.label]);
    if (values.size < 2) return;
    notes.push(
      `MIXED ${what}: ${[...values].map(([value, labels]) => `${value === '' ? '(none)' : value} (${labels.join(', ')})`).join('; ')}`,
    );
  };
  const features = (row: GroupScores, input: string): string | undefined => {
    const one = row.group.features[input];
    return one && `${one.feature}@${one.fingerprint.slice(0, 8)}`;
  };
  const inputs = [...new Set(rows.flatMap((row) => Object.keys(row.group.features)))].sort();
  for (const input of inputs) {
    // a row that does not use an input at all differs in its settings, not in its features
    const users = rows.filter((row) => row.group.features[input] !== undefined);
    const named = new Map<string, string[]>();
    for (const row of users) {
      const value = features(row, input) as string;
      named.set(value, [...(named.get(value) ?? []), row.group.label]);
    }
    if (named.size > 1)
      notes.push(
        `MIXED features, ${input}: ${[...named].map(([value, labels]) => `${value} (${labels.join(', ')})`).join('; ')}`,
      );
    else if (new Set(users.map((row) => row.group.features[input]?.rows)).size > 1)
      notes.push(`MIXED features, ${input}: other rows (utterances added or dropped, or extracted anew)`);
  }
  differs('selection rules', (row) => row.select);
  differs('rules for missing features', (row) => row.missing);
  differs('protocols', ({ group: { protocol } }) =>
    protocol === null
      ? 'not stated'
      : `${protocol.name}${protocol.where === null ? '' : `, where ${protocol.where}`}`,
  );
  differs('folds', (row) => row.group.folds.join(' '));
  differs('seeds', (row) => row.complete.join(' '));
  differs('numerics versions', (row) => String(row.group.numerics));
  differs('engines', (row) => `${row.group.engine} on ${row.group.device}`);
  differs('numbers of utterances', (row) => String(row.coverage?.evaluated ?? 'not known'));
  return notes;
}

function ofRow({ group, seeds, complete, coverage, overSeeds }: GroupScores): string[] {
  const notes = group.mixed.map((why) => `${group.label}: NOT AVERAGED, ${why}`);
  const outdated = group.outdated ?? [];
  if (outdated.length > 0)
    notes.push(
      `${group.label}: STALE, ${outdated.length} of ${group.runs.length} runs saw other utterances or labels than the manifest has now: runs list --each names them, runs delete status=stale takes them`,
    );
  if (group.stale) notes.push(`${group.label}: STALE, of numerics version ${group.numerics}`);
  for (const one of seeds) {
    if (one.lacking.length === 0) continue;
    const list = one.lacking.map(({ fold, reason }) => `${fold} (${reason})`).join(', ');
    notes.push(`${group.label}: seed ${one.seed} is left out, it lacks ${list}`);
  }
  if (coverage !== null && !coverage.comparable)
    notes.push(
      `${group.label}: NOT COMPARABLE, ${coverage.evaluated} of ${coverage.expected} test utterances evaluated`,
    );
  if (complete.length === 0) notes.push(`${group.label}: no seed has every fold`);
  else if (complete.length === 1 && overSeeds !== null)
    notes.push(`${group.label}: one seed only, the variance over seeds is not known`);
  return notes;
}
