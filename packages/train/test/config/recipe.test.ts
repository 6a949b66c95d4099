import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { UserErrors } from '@lsgmer/datasets';
import { configure } from '../../src/config/configuration.ts';
import { parseRecipe } from '../../src/config/recipe.ts';
import { ABLATIONS } from '../../src/head/ablations.ts';
import { lsgmer } from '../../src/head/lsgmer.ts';

const good = {
  description: 'Small.',
  dataset: 'demo',
  features: { text: 'random-tiny-roberta', audio: 'random-tiny-wavlm@1a2b', alexnet: 'alexnet-mel' },
  set: { epochs: 5 },
  seeds: [1],
  variants: [
    { name: 'full', set: {} },
    { name: 'text', set: { modality: 'text' } },
  ],
};

describe('recipe', () => {
  it('fills in what may be left out', () => {
    const recipe = parseRecipe(JSON.stringify(good), 'recipe.json');
    expect(recipe).toMatchObject({ ...good, head: 'lsgmer', folds: 'all', select: 'last', missing: 'error' });
    expect(recipe.task).toBeUndefined();
  });

  it('reports all problems at once', () => {
    const bad = {
      ...good,
      dataset: '../x',
      colour: 'red',
      seeds: [],
      features: { video: 'x' },
      variants: [{ name: 'full' }],
      select: 'best',
    };
    let found: readonly string[] = [];
    try {
      parseRecipe(JSON.stringify(bad), 'recipes/bad/recipe.json');
    } catch (error) {
      found = (error as UserErrors).problems;
    }
    const text = found.join('\n');
    for (const part of ['dataset:', 'colour', 'seeds:', 'video', 'variants.0.set:', 'select:']) {
      expect(text).toContain(part);
    }
    expect(found.every((line) => line.startsWith('recipes/bad/recipe.json: '))).toBe(true);
  });

  it('refuses text that is not JSON, doubled variants and doubled seeds', () => {
    expect(() => parseRecipe('{', 'r.json')).toThrow(/^r.json: not JSON: /);
    const doubled = { ...good, seeds: [1, 1], variants: [good.variants[0], good.variants[0]] };
    expect(() => parseRecipe(JSON.stringify(doubled), 'r.json')).toThrow(
      'r.json: variants: the name full occurs twice\nr.json: seeds: 1 occurs twice',
    );
  });
});

const folder = new URL('../../../../recipes/', import.meta.url);
const committed = readdirSync(folder).filter((name) => existsSync(new URL(`${name}/recipe.json`, folder)));

describe('committed recipes', () => {
  it.each(committed)('%s is valid, and so is each of its variants', (name) => {
    const recipe = parseRecipe(readFileSync(new URL(`${name}/recipe.json`, folder), 'utf8'), name);
    for (const variant of recipe.variants) {
      const layers = [recipe, variant].map(({ set }, i) => ({
        from: ['recipe', 'variant'][i] as string,
        set,
      }));
      expect(configure(lsgmer, layers).values).toMatchObject({ ...recipe.set, ...variant.set });
    }
  });

  it('has the demo with the full head, both single modalities, and no label guidance to compare with', () => {
    const recipe = parseRecipe(readFileSync(new URL('demo/recipe.json', folder), 'utf8'), 'demo');
    expect(recipe.variants.map((variant) => variant.name)).toEqual(['full', 'text', 'audio', 'no-lsma-joo']);
  });

  it.each(['iemocap-ablation', 'meld-ablation'])(
    '%s has the ablations as the command line knows them',
    (name) => {
      const recipe = parseRecipe(readFileSync(new URL(`${name}/recipe.json`, folder), 'utf8'), name);
      expect(Object.fromEntries(recipe.variants.map((variant) => [variant.name, variant.set]))).toEqual(
        ABLATIONS,
      );
    },
  );

  it.each(committed)('%s has a README with its command, its table and its departures', (name) => {
    const text = readFileSync(new URL(`${name}/README.md`, folder), 'utf8');
    expect(text).toContain(`--recipe ${name}`);
    expect(text).toMatch(/^## Departures/m);
    expect(text).toMatch(/^\|.*\|$/m);
    expect(text).toMatch(/measured with lsgmer/i);
  });
});
