import type { Feeds } from '@lsgmer/onnx/runtime';
import { type TextConfig, maxTokens } from '../encoders/text-config.ts';
import type { EncoderInput, InputForm } from './form.ts';

/** Token ids for a text encoder; special tokens are kept as steps, batches have equal counts. */
export function tokenForm(config: TextConfig): InputForm {
  return {
    kind: 'text',
    sampleRate: null,
    dim: config.hidden_size,
    firstSeconds: null,
    stepSeconds: null,
    computation: {
      truncation: { maxTokens: maxTokens(config), keeps: 'beginning and closing token' },
    },
    batchKey: (tokens) => tokens,
    feeds,
  };
}

function feeds(inputs: readonly EncoderInput[]): Feeds {
  const tokens = inputs[0]?.length ?? 0;
  const shape = [inputs.length, tokens];
  const ids = new BigInt64Array(inputs.length * tokens);
  inputs.forEach((input, row) => input.forEach((id, i) => (ids[row * tokens + i] = BigInt(id))));
  return {
    input_ids: { data: ids, shape },
    attention_mask: { data: new BigInt64Array(ids.length).fill(1n), shape },
  };
}
