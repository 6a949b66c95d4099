import type { ExplorerIndex } from '../explorer/format.ts';
import { byId, element } from './dom.ts';
import type { ErrorChoice, Query, SortChoice } from './filter.ts';

const ANY = '';
const ERRORS: readonly (readonly [ErrorChoice, string])[] = [
  ['all', 'all'],
  ['wrong', 'wrong in any seed'],
  ['always', 'wrong in every seed'],
  ['split', 'seeds disagree'],
  ['right', 'right in every seed'],
];
const SORTS: readonly (readonly [SortChoice, string])[] = [
  ['id', 'fold and id'],
  ['wrong', 'most often wrong'],
  ['unlikely', 'least p(truth)'],
  ['longest', 'longest'],
];

/** Builds the search form; `changed` is called with every change. */
export function searchForm(index: ExplorerIndex, changed: (query: Query) => void): Query {
  const form = byId('filters') as HTMLFormElement;
  const classes = index.classes.map((name, k) => [String(k), name] as const);
  const values = (
    pick: (one: ExplorerIndex['utterances'][number]) => string | null,
  ): (readonly [string, string])[] =>
    [...new Set(index.utterances.map(pick).filter((value) => value !== null))]
      .sort()
      .map((value) => [value, value]);
  const any = [ANY, 'any'] as const;
  form.replaceChildren(
    element(
      'label',
      {},
      'search in texts and ids',
      element('input', { type: 'search', name: 'words', autocomplete: 'off' }),
    ),
    chooser(
      'variant',
      'predictions of',
      index.variants.map(({ label }, v) => [String(v), label]),
    ),
    chooser('label', 'truth', [any, ...classes]),
    chooser('prediction', 'prediction', [any, ...classes, ['-1', 'no prediction']]),
    chooser('speaker', 'speaker', [any, ...values((one) => one.speaker)]),
    chooser('fold', 'fold', [any, ...values((one) => one.fold)]),
    chooser('error', 'errors', ERRORS),
    chooser('sort', 'order', SORTS),
  );
  const chosen = index.variants.findIndex(({ label }) => label === index.attention?.variant);
  (form.elements.namedItem('variant') as HTMLSelectElement).value = String(Math.max(0, chosen));
  form.addEventListener('input', () => changed(read(form)));
  form.addEventListener('submit', (event) => event.preventDefault());
  return read(form);
}

function chooser(name: string, title: string, options: readonly (readonly [string, string])[]): HTMLElement {
  return element(
    'label',
    {},
    title,
    element('select', { name }, ...options.map(([value, text]) => element('option', { value }, text))),
  );
}

function read(form: HTMLFormElement): Query {
  const data = new FormData(form);
  const text = (name: string): string => {
    const value = data.get(name);
    return typeof value === 'string' ? value : '';
  };
  const orNull = (name: string): string | null => (text(name) === ANY ? null : text(name));
  const number = (name: string): number | null => (orNull(name) === null ? null : Number(text(name)));
  return {
    words: text('words'),
    label: number('label'),
    prediction: number('prediction'),
    speaker: orNull('speaker'),
    fold: orNull('fold'),
    error: text('error') as ErrorChoice,
    variant: Number(text('variant')),
    sort: text('sort') as SortChoice,
  };
}
