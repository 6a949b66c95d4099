import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { UserError } from '@lsgmer/datasets';
import type { HubModel } from '../hub/hub-model.ts';

/** Where a model comes from. */
export type ModelSource =
  | ({ readonly kind: 'hub' } & HubModel)
  /** A folder, or a checkpoint file. */
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'url'; readonly url: string }
  /** The log-mel spectrogram itself, for networks that are trained on it. */
  | { readonly kind: 'log-mel' };

/** A model as it is asked for on a command line. */
export interface ModelRequest {
  /** Of the feature. */
  readonly name: string;
  readonly source: ModelSource;
}

export const LOG_MEL = 'log-mel';

const FEATURE_NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;
const HUB_NAME = /^([\w.-]+\/[\w.-]+)(?:@([\w./-]+))?$/;

/**
 * Reads `NAME=SOURCE` or `SOURCE`: a folder or checkpoint file, `owner/name[@revision]` on the Hugging Face hub, or
 * the address of a checkpoint, or `log-mel`. Without a name the feature is called as the source is.
 * @throws UserError when it is none of them
 */
export function parseModelRequest(text: string): ModelRequest {
  const named = /^([^=/:]+)=(.+)$/.exec(text);
  const source = parseSource(named?.[2] ?? text);
  const name = named?.[1] ?? ownName(source);
  if (!FEATURE_NAME.test(name)) {
    throw new UserError(
      `"${name}" cannot name a feature: expected letters, digits, ".", "_" and "-"; write --model NAME=${named?.[2] ?? text}`,
    );
  }
  return { name, source };
}

/** @throws UserError when the text names no source */
export function parseSource(text: string): ModelSource {
  if (text === LOG_MEL) return { kind: 'log-mel' };
  if (/^https?:\/\//.test(text)) return { kind: 'url', url: text };
  const looksLikePath = /^(\.{0,2}\/|~|[A-Za-z]:\\)/.test(text);
  if (looksLikePath || existsSync(text)) {
    if (existsSync(text)) return { kind: 'path', path: text };
    throw new UserError(`${text} does not exist: expected a model's folder or checkpoint`);
  }
  const [, name, revision] = HUB_NAME.exec(text) ?? [];
  if (name !== undefined) return { kind: 'hub', name, revision: revision ?? 'main' };
  throw new UserError(
    `"${text}" is no model: expected a folder or checkpoint that exists, owner/name[@revision] on the Hugging Face hub, ` +
      'the https address of a checkpoint, or log-mel',
  );
}

function ownName(source: ModelSource): string {
  switch (source.kind) {
    case 'hub':
      return source.name.split('/')[1] as string;
    case 'path':
      return basename(source.path).replace(/\.(json|onnx|pth?|bin|safetensors)$/, '');
    case 'log-mel':
      return LOG_MEL;
    case 'url':
      return basename(new URL(source.url).pathname).replace(/\.\w+$/, '');
  }
}

/** The models of the paper. */
export const PAPER_MODELS: readonly ModelRequest[] = [
  'roberta-base=FacebookAI/roberta-base',
  'wavlm-large=microsoft/wavlm-large',
  'alexnet-mel=https://download.pytorch.org/models/alexnet-owt-7be5be79.pth',
].map(parseModelRequest);
