import { ChannelsLast } from './channels-last.ts';
import { convolutionOf, waveConvolutionOf } from './convolution-rows.ts';
import type { ChannelMeans } from './channel-means.ts';
import { type ConstantProduct, constantProduct } from './constant-product.ts';
import { waveProduct } from './float-convolutions.ts';
import { ELEMENT_TYPES } from './element-type.ts';
import { MICROSOFT } from './graph.ts';
import { IntegerProducts, type ZeroPoint } from './integer-products.ts';
import { type FileTensor, type ModelFile, integerAttribute } from './model-file.ts';
import { convolve } from './quantise-convolution.ts';
import { ZeroPoints } from './zero-points.ts';

/** Version of the arithmetic, for fingerprints: raised by hand when a change here gives other numbers. */
export const INT8_SCHEME =
  'int8-4: weights 181 steps a column, activations 182 a row, block of frames or recording, also in convolutions; ' +
  'products take what is left beside the channel means of a sample';

/**
 * Turns, in place, every product with a constant matrix (MatMul, Gemm) of at least 64 x 64, and convolutions along time of at
 * least 64 channels, into products of integers; a convolution over a waveform becomes a float32 product; all else stays. Weights
 * have one scale for each output, fixed now; activations one scale for each row (token, frame), found when the model runs, each
 * block of frames that a convolution takes in one stride, or each recording where its windows overlap almost wholly. So a result
 * depends on nothing but its own row or recording, whatever it shares a batch with.
 *
 * @param means where given, products take x - mean, and their bias is larger by the mean's product: what all tokens share takes up
 *   no steps of a byte
 * @returns how many products and convolutions were changed
 * @throws Error where the operator set is older than 13
 */
export function quantiseProducts(model: ModelFile, means: ChannelMeans = new Map()): number {
  if (model.opset < 13) throw new Error(`the model uses operator set ${model.opset}, int8 needs 13 or newer`);
  const tensors = new Map(model.initializers.map((tensor) => [tensor.name, tensor]));
  const products = new IntegerProducts(model);
  const zeros = new ZeroPoints(model.nodes);
  const last = new ChannelsLast(model, products);
  let changed = 0;
  for (const node of model.nodes) {
    const [input, output] = [node.inputs[0] as string, node.outputs[0] as string];
    const conv = convolutionOf(node, tensors);
    const wave = last.isOnlyTurned(output) ? waveConvolutionOf(node, tensors) : undefined;
    const product = constantProduct(node, tensors);
    if (conv !== undefined) last.set(output, convolve(products, conv, last.of(input), zeros.of(input)));
    else if (wave !== undefined) last.set(output, waveProduct(products, wave, input));
    else if (product !== undefined) {
      const bias = tensors.get(product.bias ?? '');
      const mean = product.bias === undefined || isRow(bias) ? means.get(input) : undefined;
      const offset = mean === undefined ? undefined : offsetOf(model, product, bias, mean);
      replace(products, product, { zero: zeros.of(input), mean, offset });
    } else last.keep(node);
    if (conv !== undefined || product !== undefined) changed++;
  }
  last.finish();
  if (changed > 0) model.useDomain(MICROSOFT);
  return changed;
}

interface Given {
  readonly zero: ZeroPoint;
  readonly mean: Float32Array | undefined;
  /** What is added to each row beside the bias, or to what the bias was. [outputs] */
  readonly offset: Float32Array | undefined;
}

/** y = x W + b  ->  y = step(x - m) * (bytes(x - m) bytes(W) * step(W)) + (m W + b) */
function replace(products: IntegerProducts, product: ConstantProduct, { zero, mean, offset }: Given): void {
  const { weight, inputs, outputs, turned, flat, output } = product;
  const input = mean === undefined ? product.input : products.centred(product.input, mean);
  const activation = products.activation(flat ? input : products.rows(input, inputs), zero);
  const matrix = products.matrix(weight.name, inputs, outputs, turned, () => products.model.floats(weight));
  const bias =
    offset === undefined
      ? product.bias
      : products.floats(`${weight.name}_${product.input}_offset`, [outputs], () => offset);
  const scaled = products.scaled(activation, matrix, flat && bias === undefined ? output : undefined);
  if (flat) {
    if (bias !== undefined) products.op('Add', [scaled, bias], [], '', output);
    return;
  }
  const sum = bias === undefined ? scaled : products.op('Add', [scaled, bias]);
  products.op('Reshape', [sum, placeOf(products, product.input, outputs)], [], '', output);
}

/** Whether a bias is the same constant for each row. */
function isRow(bias: FileTensor | undefined): boolean {
  return bias?.type === ELEMENT_TYPES.float32 && bias.shape.slice(0, -1).every((dim) => dim === 1);
}

/** m W + b, summed in doubles. */
function offsetOf(
  model: ModelFile,
  { weight, inputs, outputs, turned }: ConstantProduct,
  bias: FileTensor | undefined,
  mean: Float32Array,
): Float32Array {
  const weights = model.floats(weight);
  const [perInput, perOutput] = turned ? [1, inputs] : [outputs, 1];
  const own = bias === undefined ? undefined : model.floats(bias);
  return Float32Array.from({ length: outputs }, (_, output) => {
    let sum = own === undefined ? 0 : (own[output % own.length] as number);
    for (let input = 0; input < inputs; input++)
      sum += (mean[input] as number) * (weights[output * perOutput + input * perInput] as number);
    return sum;
  });
}

/** Shape of a product: the input's with another last dimension. */
function placeOf(products: IntegerProducts, input: string, outputs: number): string {
  const shape = products.op('Shape', [input]);
  const leading = products.op('Slice', [shape, products.int64([0]), products.int64([-1])]);
  return products.op('Concat', [leading, products.int64([outputs])], [integerAttribute('axis', 0)]);
}
