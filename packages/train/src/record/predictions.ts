import { UserError } from '@lsgmer/datasets';
import { NO_PREDICTION } from '../evaluate/metrics.ts';
import type { Prediction } from '../evaluate/predict.ts';

/** predictions.csv: `id,fold,label,prediction,p_<class>...`, classes by name, probabilities to 9 digits. */
export function encodePredictions(
  predictions: readonly Prediction[],
  fold: string,
  classes: readonly string[],
): string {
  const lines = [['id', 'fold', 'label', 'prediction', ...classes.map((name) => `p_${name}`)]];
  for (const { id, label, prediction, probabilities } of predictions) {
    const named = prediction === NO_PREDICTION ? '' : (classes[prediction] as string);
    const p = classes.map((_, k) => {
      const value = probabilities[k];
      return value === undefined ? '' : String(Number(value.toPrecision(9)));
    });
    lines.push([id, fold, classes[label] as string, named, ...p]);
  }
  return lines.map((cells) => `${cells.map(quote).join(',')}\n`).join('');
}

/**
 * Reads predictions.csv back.
 * @param where the file, for messages
 * @throws UserError for another header, a class that is not in the list, or a broken line
 */
export function decodePredictions(text: string, classes: readonly string[], where: string): Prediction[] {
  const [header, ...rows] = parseCsv(text);
  const expected = ['id', 'fold', 'label', 'prediction', ...classes.map((name) => `p_${name}`)];
  if (header?.join('\n') !== expected.join('\n')) {
    throw new UserError(`${where}: header ${header?.join(',') ?? '(none)'}, expected ${expected.join(',')}`);
  }
  const index = new Map(classes.map((name, k) => [name, k]));
  return rows.map((cells, i) => {
    const [id, , label, prediction, ...p] = cells;
    const truth = index.get(label ?? '');
    const guess = prediction === '' ? NO_PREDICTION : index.get(prediction ?? '');
    if (id === undefined || truth === undefined || guess === undefined || p.length !== classes.length) {
      throw new UserError(`${where}:${i + 2}: ${cells.join(',')} is no prediction of ${classes.join(', ')}`);
    }
    return {
      id,
      label: truth,
      prediction: guess,
      probabilities: guess === NO_PREDICTION ? [] : p.map(Number),
    };
  });
}

function quote(cell: string): string {
  return /[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/** RFC 4180 as `encodePredictions` writes it: line feeds end records, quotes are doubled. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n|$)/y;
  while (cell.lastIndex < text.length) {
    const match = cell.exec(text);
    if (match === null) break;
    row.push(match[1] === undefined ? (match[2] as string) : match[1].replaceAll('""', '"'));
    if (match[3] === ',') continue;
    rows.push(row);
    row = [];
  }
  return rows;
}
