import type { Device } from '@lsgmer/onnx';
import type { EncodedSteps, EncoderInput } from '../features/form.ts';
import type { EncoderSettings } from './encoder.ts';

/** What the main process tells the encoder process. */
export type EncoderRequest =
  | { readonly kind: 'start'; readonly folders: readonly string[]; readonly settings: EncoderSettings }
  | {
      readonly kind: 'encode';
      readonly id: number;
      readonly model: number;
      readonly inputs: readonly EncoderInput[];
    };

/** What it answers, in the order of the requests. `name` is the error's class. */
export type EncoderReply =
  | { readonly kind: 'ready'; readonly device: Device }
  | { readonly kind: 'refused'; readonly name: string; readonly message: string }
  | { readonly kind: 'encoded'; readonly id: number; readonly rows: readonly EncodedSteps[] }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string };
