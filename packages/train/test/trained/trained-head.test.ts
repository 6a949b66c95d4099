import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { RunEntry } from '../../src/catalogue/run-entry.ts';
import { encodeSafetensors, type Safetensors } from '../../src/fit/safetensors.ts';
import { textOnly } from '../../src/head/single-modality.ts';
import { flatParameters, openTrained } from '../../src/trained/trained-head.ts';

const path = mkdtempSync(join(tmpdir(), 'lsgmer-trained-'));
afterAll(() => rmSync(path, { recursive: true }));
const config = { d: 4, 'text.encoder': 'linear' };
const dims = { text: 3, audio: 0, map: 0 };
const run = {
  id: '0123456789ab',
  path,
  status: 'finished',
  identity: { head: 'text-only', classes: ['a', 'b'], config },
} as unknown as RunEntry;

let next = 0;
const specs = textOnly.parameters(config, dims, 2);
const tensors: { [name: string]: Safetensors['tensors'][string] } = Object.fromEntries(
  specs.map(({ name, shape }) => {
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => next++);
    return [name, { shape, values }];
  }),
);
const write = (file: string, more: Safetensors['tensors'] = {}): void =>
  writeFileSync(
    join(path, file),
    encodeSafetensors({ tensors: { ...tensors, ...more }, metadata: { epoch: '7' } }),
  );

describe('a trained head', () => {
  it('holds what the run left: parameters in order, settings with defaults, standardisation', () => {
    const mean = { shape: [3], values: Float32Array.of(1, 2, 3) };
    write('head.safetensors', { 'standardise.text.mean': mean, 'standardise.text.sd': mean });
    const trained = openTrained(run, textOnly, 'last');
    expect(trained.epoch).toBe('7');
    expect(trained.config).toMatchObject({ d: 4, 'text.encoder': 'linear', 'classifier.dropout': 0 });
    expect(trained.trainer.epochs).toBe(50);
    expect(trained.standards?.of('text', 'any')?.mean).toEqual(mean.values);
    expect([...flatParameters(trained, dims)]).toEqual(Array.from({ length: next }, (_, i) => i));
  });

  it('is refused, in a line, where it is not what it must be', () => {
    write('head.safetensors');
    expect(openTrained(run, textOnly, 'last').standards).toBeUndefined();
    const refused = (entry: object, head = textOnly, rule: 'last' | 'dev' = 'last'): string => {
      try {
        openTrained({ ...run, ...entry }, head, rule);
      } catch (error) {
        return (error as Error).message;
      }
      return '';
    };
    expect(refused({ status: 'unfinished' })).toMatch(/is not finished: train it to its end/);
    expect(refused({}, { ...textOnly, source: 'f00' })).toMatch(/another version of head text-only.*--head/);
    expect(refused({}, textOnly, 'dev')).toMatch(/no head under the rule dev .*without a dev part/);
    const wide = { ...dims, text: 5 };
    expect(() => flatParameters(openTrained(run, textOnly, 'last'), wide)).toThrow(
      /parameter text\.linear\.w has shape \[3, 4\], these features need \[5, 4\]/,
    );
    writeFileSync(join(path, 'head.safetensors'), 'damaged');
    expect(refused({})).toMatch(/head\.safetensors: it is no safetensors file: 7 bytes/);
  });
});
