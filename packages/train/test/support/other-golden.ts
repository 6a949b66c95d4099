import { readFileSync } from 'node:fs';
import { decodeSafetensors } from '../../src/fit/safetensors.ts';
import type { GoldenCase } from './head-golden.ts';

const folder = new URL('../../../../test/golden/head/', import.meta.url);

/** What test/golden/head/others.py wrote: the heads beside LSGMER. */
export const otherCases = JSON.parse(readFileSync(new URL('others.json', folder), 'utf8')) as (GoldenCase & {
  readonly head: string;
})[];

/** `<case>/gradient`, `<case>/fused` and so on. */
export const { tensors: otherTensors } = decodeSafetensors(
  readFileSync(new URL('others.safetensors', folder)),
);
