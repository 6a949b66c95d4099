import { createHash } from 'node:crypto';
import { createReadStream, realpathSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Json, UserError, digestJson, sha256Hex, writeFileAtomic } from '@lsgmer/datasets';
import { describedForm } from '../features/described.ts';
import type { OnnxConfig } from '../encoders/onnx-config.ts';
import { TextTokenizer } from '../tokenizer/text-tokenizer.ts';
import { GraphChain } from './graph-chain.ts';
import { linkOrCopy } from './link-file.ts';
import { MODEL_FILES } from './model-folder.ts';
import type { ModelFiles } from './model-files.ts';
import { tokenizerText } from './tokenizer-file.ts';

/** Of sound, on which a described encoder is tried. */
const TRIAL_SECONDS = 2;
/** Frames that may be more or fewer than the description's rate gives: convolutions lose some at the ends. */
const TRIAL_TOLERANCE = 0.1;

/**
 * Writes the folder of an ONNX encoder: its files under a second name, and the description. It is tried before: what
 * gives another shape than it says is refused here, not after hours.
 * @returns digest of the model, after which its folder is named
 */
export async function writeOnnxModel(folder: string, name: string, files: ModelFiles): Promise<string> {
  const config = files.description as OnnxConfig;
  const names = files.weights.map((file) => basename(file));
  const taken = names.find(
    (file, i) =>
      names.indexOf(file) !== i || (Object.values(MODEL_FILES) as string[]).slice(0, 3).includes(file),
  );
  if (taken !== undefined)
    throw new UserError(`${files.origin}: two files of the encoder would be called ${taken}`);
  const placed = {
    ...config,
    models: config.models.map((model) => ({ ...model, file: basename(model.file) })),
  };
  const tokenizer = config.input.kind === 'tokens' ? tokenizerText(files) : undefined;
  const digests: Json[] = [];
  const sizes: { [file: string]: number } = {};
  for (const file of files.weights) {
    linkOrCopy(realpathSync(file), join(folder, basename(file)));
    sizes[basename(file)] = statSync(file).size;
    digests.push(await digestOf(file));
  }
  await tryOut(placed, folder, tokenizer, files);
  writeFileAtomic(join(folder, MODEL_FILES.config), json(placed));
  if (tokenizer !== undefined) writeFileAtomic(join(folder, MODEL_FILES.tokenizer), tokenizer);
  const record = {
    format: 1,
    name,
    // Of the files: what they hold, whatever they are called.
    weights: digestJson(digests),
    ...(tokenizer === undefined ? {} : { tokenizer: sha256Hex(tokenizer) }),
    source: files.origin,
    placement: { files: sizes, tensors: {} },
  };
  writeFileAtomic(join(folder, MODEL_FILES.record), json(record));
  return digestJson({ weights: record.weights, config: placed as Json, tokenizer: record.tokenizer ?? null });
}

async function tryOut(
  config: OnnxConfig,
  folder: string,
  tokenizer: string | undefined,
  files: ModelFiles,
): Promise<void> {
  const form = describedForm(config);
  const paths = config.models.map(({ file }) => join(folder, file));
  const refuse = (why: string): never => {
    throw new UserError(`${files.origin}: ${why}`);
  };
  let chain: GraphChain;
  try {
    chain = await GraphChain.open(config, paths, { device: 'cpu' });
  } catch (error) {
    if (error instanceof UserError) throw error;
    return refuse(`its graphs cannot be loaded (${firstLine(error)})`);
  }
  try {
    const input =
      tokenizer === undefined
        ? Float32Array.from(
            { length: TRIAL_SECONDS * (form.sampleRate ?? 0) },
            (_, i) => 0.1 * Math.sin(i * i * 1e-4),
          )
        : new TextTokenizer(
            tokenizer,
            (config.input as { maxTokens: number }).maxTokens,
            files.tokenizer ?? files.vocabulary?.vocab,
          ).encode('a trial').ids;
    const results = await chain
      .run(form.feeds([input, input]), [config.output])
      .catch((error: unknown) => refuse(`it fails on a trial: ${firstLine(error)}`));
    const { data, shape = [] } = results[config.output] ?? {};
    if (!(data instanceof Float32Array)) refuse(`its output ${config.output} is not of float32`);
    const steps = shape[1] ?? 0;
    const expected = form.stepSeconds === null ? input.length : TRIAL_SECONDS / form.stepSeconds;
    const tolerance = form.stepSeconds === null ? 0 : Math.max(2, TRIAL_TOLERANCE * expected);
    if (Math.abs(steps - expected) > tolerance)
      refuse(
        `two seconds of sound (or ${input.length} tokens) give ${steps} steps, expected about ${Math.round(expected)}`,
      );
    if ((data as Float32Array).some((value) => !Number.isFinite(value)))
      refuse('its values on a trial are not finite');
  } finally {
    await chain.release();
  }
}

function firstLine(error: unknown): string {
  return (error as Error).message.split('\n', 1)[0] ?? '';
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 2 ** 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

function json(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
