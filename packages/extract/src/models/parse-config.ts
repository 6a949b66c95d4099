import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { UserError } from '@lsgmer/datasets';
import { z } from 'zod';
import { HIGHEST_RATE, LOWEST_RATE, SAMPLE_RATE } from '../decode/policy.ts';
import { MODEL_TYPES, ModelConfig } from './model-config.ts';

const PreprocessorConfig = z.object({
  do_normalize: z.boolean(),
  sampling_rate: z.number().int().min(LOWEST_RATE).max(HIGHEST_RATE).default(SAMPLE_RATE),
});

/**
 * A model's configuration.
 * @param origin the file that it stands in, for messages
 * @throws UserError when it describes what is not built here
 */
export function parseConfig(value: unknown, origin: string): ModelConfig {
  const type = (value as { model_type?: unknown } | null)?.model_type;
  if (typeof type !== 'string')
    throw new UserError(
      `${origin} has no model_type, by which the architecture is known: take it from the model's repository`,
    );
  if (!MODEL_TYPES.includes(type)) {
    throw new UserError(
      `${origin}: "model_type": ${type} is not built here: expected ${MODEL_TYPES.join(', ')}; an ONNX export of it ` +
        'can be described (docs/features.md, "ONNX encoders")',
    );
  }
  return parse(value, origin, ModelConfig);
}

/** preprocessor_config.json of an audio model. @throws UserError when it says what is not done here */
export function parsePreprocessor(path: string): z.infer<typeof PreprocessorConfig> {
  return parse(readJson(path), path, PreprocessorConfig);
}

/** @throws UserError with the path */
export function readJson(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(
      `${path} cannot be read (${(error as Error).message}): is ${dirname(path)} a model folder?`,
    );
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError(`${path} is not JSON (${(error as Error).message})`);
  }
}

/** @throws UserError with the path and the first key that is wrong */
export function parse<T>(value: unknown, path: string, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new UserError(`${path}: "${issue?.path.join('.') ?? ''}": ${issue?.message ?? 'not as expected'}`);
}
