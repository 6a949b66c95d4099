import type { GroupScores } from '@lsgmer/train';
import type { ReportData } from '../gather/report-data.ts';
import { rowLabel, ruleCells } from './row-parts.ts';
import { NONE, type Table } from './table.ts';

/** Which runs stand behind each row: how many there are, what they were computed from. */
export function runsTable(data: ReportData): Table {
  return {
    id: 'runs',
    title: 'What the numbers rest on',
    caption: 'Runs behind each row: finished of seeds x folds, features by fingerprint, protocol, engine.',
    notes: [],
    columns: [
      { key: 'variant', head: 'variant', kind: 'text' },
      { key: 'runs', head: 'runs', kind: 'text' },
      { key: 'seed_list', head: 'seeds', kind: 'text' },
      { key: 'features', head: 'features', kind: 'long' },
      { key: 'protocol', head: 'protocol', kind: 'text' },
      { key: 'engine', head: 'engine', kind: 'text' },
      { key: 'numerics', head: 'numerics', kind: 'text' },
      { key: 'epoch_taken', head: 'epoch', kind: 'text' },
      { key: 'evaluated_of_expected', head: 'n', kind: 'text' },
    ],
    rows: data.groups.map((row) => {
      const { group } = row;
      const [, epoch = null, n = null] = ruleCells(row);
      const cells = group.seeds.length * group.folds.length;
      const finished = group.runs.length - group.unfinished.length;
      return {
        kind: isWhole(row) ? ('ours' as const) : ('broken' as const),
        cells: [
          rowLabel(row),
          `${finished} of ${cells}`,
          group.seeds.join(', '),
          Object.entries(group.features)
            .map(([input, { feature, fingerprint }]) => `${input} ${feature}@${fingerprint.slice(0, 8)}`)
            .join(', '),
          protocolText(row),
          `${group.engine} on ${group.device}`,
          String(group.numerics),
          epoch,
          n,
        ],
      };
    }),
  };
}

function protocolText({ group: { protocol } }: GroupScores): string {
  if (protocol === null) return NONE;
  return `${protocol.name}${protocol.where === null ? '' : `, where ${protocol.where}`}`;
}

const isWhole = ({ group }: GroupScores): boolean =>
  group.missing.length === 0 && group.unfinished.length === 0 && group.mixed.length === 0 && !group.stale;
