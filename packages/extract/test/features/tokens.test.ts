import { describe, expect, it } from 'vitest';
import type { TextConfig } from '../../src/encoders/text-config.ts';
import { tokenForm } from '../../src/features/tokens.ts';
import { golden } from '../support.ts';

const { config } = golden('encoders/roberta.json') as { config: TextConfig };

describe('tokenForm', () => {
  it('feeds equal counts as they are, with nothing masked', () => {
    const form = tokenForm(config);
    const feeds = form.feeds([Int32Array.of(0, 7, 2), Int32Array.of(0, 9, 2)]);
    expect(feeds['input_ids']).toEqual({ data: BigInt64Array.of(0n, 7n, 2n, 0n, 9n, 2n), shape: [2, 3] });
    expect(feeds['attention_mask']?.data).toEqual(new BigInt64Array(6).fill(1n));
    expect([form.batchKey(3), form.batchKey(4)]).toEqual([3, 4]);
    expect(form.computation['truncation']).toMatchObject({ maxTokens: 38 });
  });
});
