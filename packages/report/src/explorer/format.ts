/** What the explorer's script files hold. They call `lsgmerChunk(name, data)`, so that a page opened as a file can load them. */

/** data/index.js: every utterance that was tested, without its attention. */
export interface ExplorerIndex {
  readonly dataset: string;
  readonly task: string;
  readonly classes: readonly string[];
  /** Which epoch the predictions are from. */
  readonly rule: string;
  /** What must be read before anything else. */
  readonly notices: readonly string[];
  readonly variants: readonly { readonly label: string; readonly seeds: readonly number[] }[];
  /** Whose attention is shown: variant, seed, epoch; null where no run left any. */
  readonly attention: AttentionAbout | null;
  readonly utterances: readonly ExplorerUtterance[];
}

export interface AttentionAbout {
  readonly variant: string;
  readonly seed: number;
  readonly rule: string;
  /** Whether a residual surrounds cross attention; without one the content of a token's row is audio. */
  readonly residual: boolean;
  /** Whether the labels ask (each label spreads over the steps), or the steps do. */
  readonly labelsAsk: boolean;
  /** Centre of frame 0 and time between frames, in seconds; null where they are not known. */
  readonly frames: { readonly first: number; readonly step: number } | null;
}

export interface ExplorerUtterance {
  readonly id: string;
  readonly fold: string;
  readonly speaker: string | null;
  readonly text: string | null;
  readonly seconds: number | null;
  /** Class index of the truth. */
  readonly label: number;
  /** By variant: the class index that each seed said, in the order of its seeds; -1 for no prediction, null for no run. */
  readonly said: readonly (readonly (number | null)[])[];
  /** By variant: mean probability of the true class over seeds; null without any. */
  readonly truth: readonly (number | null)[];
  /** Number of the attention chunk; null where there is no attention of it. */
  readonly chunk: number | null;
}

/** data/attention-<n>.js: by utterance id. */
export type AttentionChunk = { readonly [id: string]: UtteranceAttention };

export interface UtteranceAttention {
  /** Weights of audio and text in the gate; null for heads without one. */
  readonly gate: readonly [number, number] | null;
  readonly prediction: number;
  readonly tokens: AttentionSteps | null;
  /** Start and end of each token in the text, in UTF-16 units; equal ones for special tokens. Null where they are not known. */
  readonly spans: readonly number[] | null;
  readonly frames: AttentionSteps | null;
}

/** Attention over the tokens, or over the frames. */
export interface AttentionSteps {
  readonly n: number;
  /** [classes * n] bytes in base64, each row relative to its maximum; null where the head has no label attention. */
  readonly label: string | null;
  readonly labelMax: readonly number[];
  /** [n] bytes in base64: what each step receives from the other modality; null where the head has no cross attention. */
  readonly cross: string | null;
  readonly crossMax: number;
}

/** serve.json, when the report is served: whether there is sound, else why not. */
export interface ServeInfo {
  readonly audio: boolean;
  readonly reason: string | null;
}
