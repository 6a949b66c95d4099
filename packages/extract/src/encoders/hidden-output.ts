import { digestJson } from '@lsgmer/datasets';

/** A hidden state of a transformer encoder that its graph gives as an output. */
export interface HiddenOutput {
  /** Name of the output in the graph. */
  readonly name: string;
  /** 0 is what enters the first layer, k what leaves layer k. */
  readonly layer: number;
  /** Whether the encoder's closing layer norm is applied (only where there is one). */
  readonly norm: boolean;
}

/** Hugging Face's `last_hidden_state` of an encoder with that many layers. */
export function lastHiddenState(layers: number): HiddenOutput {
  return { name: 'last_hidden_state', layer: layers, norm: true };
}

/**
 * The hidden states that are asked for.
 * @param layers `last`, or numbers as in Hugging Face's `hidden_states`
 * @param count layers of the encoder
 * @param norm whether the closing layer norm is applied; to the last layer only when left out
 */
export function hiddenOutputs(
  layers: 'last' | readonly number[],
  count: number,
  norm: boolean | undefined,
): HiddenOutput[] {
  const wanted = layers === 'last' ? [count] : layers;
  return wanted.map((layer) => {
    const normed = norm ?? layer === count;
    if (layer === count && normed) return lastHiddenState(count);
    return { name: `hidden_states.${layer}${normed ? '.norm' : ''}`, layer, norm: normed };
  });
}

/** The last layer that is needed. */
export function deepest(outputs: readonly HiddenOutput[]): number {
  return Math.max(...outputs.map(({ layer }) => layer));
}

/** File of the graph that gives these outputs: all a model's graphs share its weights. */
export function graphFile(outputs: readonly string[]): string {
  if (outputs.length === 1 && ['last_hidden_state', 'features'].includes(outputs[0] as string))
    return 'model.onnx';
  return `model-${digestJson([...outputs]).slice(0, 12)}.onnx`;
}
