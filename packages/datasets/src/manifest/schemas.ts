import { z } from 'zod';
import { Card } from './card.ts';
import { Utterance } from './utterance.ts';

/** Files of `manifests/schema`. */
export type SchemaFile = 'card.schema.json' | 'utterance.schema.json';

/**
 * JSON Schemas (draft 2020-12) of what other tools may want to write or check: dataset cards, and the lines of a
 * manifest. They hold the form; that class names differ and labels belong to one class is checked on reading alone.
 */
export function jsonSchemas(): Record<SchemaFile, string> {
  return {
    'card.schema.json': schemaText(Card, 'lsgmer dataset card'),
    'utterance.schema.json': schemaText(Utterance, 'lsgmer utterance: one line of a manifest'),
  };
}

function schemaText(schema: z.ZodType, title: string): string {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n`;
}
