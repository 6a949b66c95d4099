import { ELEMENT_TYPES } from './element-type.ts';
import type { RoundedMatrix } from './integer-products.ts';
import type { FileTensor } from './model-file.ts';

export interface OffsetParts {
  /** [inputs, outputs], or [outputs, inputs] where `turned`. */
  readonly weights: Float32Array;
  readonly turned: boolean;
  /** m [inputs] */
  readonly mean: Float32Array;
  /** b, one for each output or one for all. */
  readonly bias?: Float32Array | undefined;
  /** What the product has of the mean's part already. */
  readonly less?: RoundedMatrix | undefined;
}

/** m (W - less) + b: what every row of a product is given beside it, [outputs]. Summed in doubles. */
export function rowOffset({ weights, turned, mean, bias, less }: OffsetParts): Float32Array {
  const inputs = mean.length;
  const outputs = weights.length / inputs;
  const [perInput, perOutput] = turned ? [1, inputs] : [outputs, 1];
  return Float32Array.from({ length: outputs }, (_, output) => {
    const step = less === undefined ? 0 : (less.steps[output] as number);
    let sum = bias === undefined ? 0 : (bias[output % bias.length] as number);
    for (let input = 0; input < inputs; input++) {
      const weight = weights[output * perOutput + input * perInput] as number;
      const had = less === undefined ? 0 : step * (less.bytes[input * outputs + output] as number);
      sum += (mean[input] as number) * (weight - had);
    }
    return sum;
  });
}

/** Whether a bias is the same constant for each row. */
export function isRow(bias: FileTensor | undefined): boolean {
  return bias?.type === ELEMENT_TYPES.float32 && bias.shape.slice(0, -1).every((dim) => dim === 1);
}
