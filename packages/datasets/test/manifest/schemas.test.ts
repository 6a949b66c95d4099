import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { jsonSchemas } from '../../src/manifest/schemas.ts';
import { repositoryFile } from '../support.ts';

it('are committed as the code has them (npm run schemas writes them)', () => {
  const schemas = jsonSchemas();
  expect(readdirSync(repositoryFile('manifests/schema')).sort()).toEqual(Object.keys(schemas).sort());
  for (const [name, text] of Object.entries(schemas)) {
    expect(readFileSync(repositoryFile(`manifests/schema/${name}`), 'utf8'), name).toBe(text);
  }
});

it('say what is required and refuse what is not known', () => {
  const card = JSON.parse(jsonSchemas()['card.schema.json']) as Record<string, unknown>;
  expect(card).toMatchObject({ type: 'object', additionalProperties: false });
  expect(card['required']).toContain('tasks');
  const utterance = JSON.parse(jsonSchemas()['utterance.schema.json']) as {
    properties: Record<string, { pattern?: string }>;
  };
  const id = new RegExp(utterance.properties['id']?.pattern ?? '');
  expect(['meld/train/dia0_utt0', 'meld', 'a/../b'].map((one) => id.test(one))).toEqual([true, false, false]);
});
