import type { Device } from '@lsgmer/onnx/runtime';
import type { EncodedSteps, EncoderInput } from '../features/form.ts';
import type { ModelReference } from '../models/feature-options.ts';
import type { EncoderSettings } from './encoder.ts';

/** What the main process tells the encoder process. */
export type EncoderRequest =
  | { readonly kind: 'start'; readonly models: readonly ModelReference[]; readonly settings: EncoderSettings }
  | {
      readonly kind: 'encode';
      readonly id: number;
      readonly model: number;
      readonly inputs: readonly EncoderInput[];
      readonly features: readonly number[];
    };

/** What it answers, in the order of the requests. `name` is the error's class. */
export type EncoderReply =
  | { readonly kind: 'ready'; readonly devices: readonly Device[] }
  | { readonly kind: 'refused'; readonly name: string; readonly message: string }
  | { readonly kind: 'encoded'; readonly id: number; readonly rows: readonly (readonly EncodedSteps[])[] }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string };
