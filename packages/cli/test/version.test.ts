import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { VERSION } from '../src/version.ts';

it('is the version of every package', () => {
  for (const file of [
    'package.json',
    ...['onnx', 'datasets', 'extract', 'train', 'cli'].map((name) => `packages/${name}/package.json`),
  ])
    expect((JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version, file).toBe(VERSION);
});
