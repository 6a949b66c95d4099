import { describe, expect, it } from 'vitest';
import { optionSpecs } from '../../src/config/configuration.ts';
import type { Head } from '../../src/head/contract.ts';
import { headByName, KNOWN_HEADS } from '../../src/head/registry.ts';
import { about, goldenBatch, largestDifference, worstTensor } from '../support/head-golden.ts';
import { otherCases, otherTensors } from '../support/other-golden.ts';
import { ENGINES, withEngine } from '../support/head-engines.ts';

const PADDED = { rows: 3, text: 7, audio: 20, map: 3, junk: 3 };

describe.each(Object.keys(ENGINES))('%s', (engineName) => {
  it.each(otherCases.map((entry) => [entry.name, entry] as const))(
    '%s: loss, logits, gradients and what analysis shows equal PyTorch, also in a padded batch',
    async (_, entry) => {
      const head = headByName(entry.head);
      await withEngine(
        engineName,
        entry,
        async (engine) => {
          const golden = otherTensors[`${entry.name}/gradient`]?.values as Float32Array;
          for (const padding of [{}, PADDED]) {
            const batch = goldenBatch(entry.config, padding, undefined, head);
            engine.clearGradients();
            const { loss, logits } = await engine.gradients(batch);
            expect(Math.abs(loss - (entry.loss as number))).toBeLessThan(1e-5);
            const real = logits.subarray(0, about.rows * about.classes);
            expect(largestDifference(real, entry.logits as number[])).toBeLessThan(2e-5);
            const { name, error } = worstTensor(entry, engine.gradient, golden);
            expect(error, `gradient of ${name}`).toBeLessThan(1e-3);
          }
          const { extra } = await engine.forward(goldenBatch(entry.config, {}, undefined, head), true);
          const shown = Object.keys(otherTensors).filter(
            (name) => name.startsWith(`${entry.name}/`) && !name.endsWith('/gradient'),
          );
          expect(Object.keys(extra).sort()).toEqual(
            shown.map((name) => name.slice(entry.name.length + 1)).sort(),
          );
          for (const name of shown) {
            const found = extra[name.slice(entry.name.length + 1)] as Float32Array;
            expect(largestDifference(found, otherTensors[name]?.values as Float32Array), name).toBeLessThan(
              1e-5,
            );
          }
        },
        head,
      );
    },
  );
});

describe('the heads that come with lsgmer', () => {
  it('are found by name; another name is refused with all of them', () => {
    expect(KNOWN_HEADS.map((head) => head.name)).toEqual([
      'lsgmer',
      'le-mer',
      'cross',
      'concat',
      'text-only',
      'audio-only',
    ]);
    for (const head of KNOWN_HEADS) expect(headByName(head.name)).toBe(head);
    expect(() => headByName('lsgme')).toThrow(/no head 'lsgme': there are lsgmer, le-mer, .*my-head/);
  });

  it('each have every option in a golden case beside its default', () => {
    const lacking = KNOWN_HEADS.slice(1).flatMap((head) =>
      head.options.flatMap(({ key, type, default: usual }) => {
        const seen = otherCases
          .filter((entry) => entry.head === head.name)
          .map(({ config }) => config[key] ?? usual);
        const wanted = typeof type === 'object' ? type : ['another'];
        if (typeof type !== 'object')
          return seen.some((value) => value !== usual) ? [] : [`${head.name} ${key}`];
        return wanted.filter((value) => !seen.includes(value)).map((value) => `${head.name} ${key}=${value}`);
      }),
    );
    // how embeddings start is no part of what they compute
    expect(lacking).toEqual(['le-mer label.init=0.02', 'le-mer label.init=xavier']);
  });

  it.each(KNOWN_HEADS.map((head) => [head.name, head] as const))(
    '%s: says what does not fit, and has a line for the list',
    (_, head: Head) => {
      expect(head.summary).toMatch(/\w/);
      expect(() => optionSpecs(head)).not.toThrow();
      const config = Object.fromEntries(head.options.map((spec) => [spec.key, spec.default]));
      const none = { text: 0, audio: 0, map: 0 };
      expect(() => head.parameters(config, none, 4)).toThrow(
        /needs (text|audio) features and none were given/,
      );
      const shape = { rows: 1, text: 1, audio: 1, map: 1 };
      expect(() => head.inputs({ ...config, d: 7 }, { text: 3, audio: 3, map: 7 }, 1, shape)).toThrow(
        /classes: found 1, expected at least 2/,
      );
    },
  );
});
