import type { FeatureRow, FeatureSetWriterOptions } from '@lsgmer/datasets';

/** What the main thread tells the writing one; sets are numbered in the order in which they are opened. */
export type SinkCall =
  | { readonly kind: 'open'; readonly options: FeatureSetWriterOptions }
  | { readonly kind: 'append'; readonly set: number; readonly row: FeatureRow }
  | {
      readonly kind: 'quarantine';
      readonly set: number;
      readonly rowId: string;
      readonly reason: string;
      readonly input: string;
    }
  | { readonly kind: 'flush' | 'close'; readonly set: number };

export type SinkRequest = SinkCall & { readonly id: number };

/** What it answers, in the order of the requests. */
export type SinkReply =
  | { readonly id: number; readonly value: string | null }
  | {
      readonly id: number;
      readonly error: {
        /** A UserError: the user's matter, one line. */
        readonly user: boolean;
        readonly message: string;
        readonly stack: string | undefined;
        readonly code: string | undefined;
      };
    };
