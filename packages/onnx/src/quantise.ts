import { ChannelsLast } from './channels-last.ts';
import { biasOf, convolutionOf, waveConvolutionOf } from './convolution-rows.ts';
import type { ChannelMeans } from './channel-means.ts';
import { type ConstantProduct, constantProduct } from './constant-product.ts';
import { waveProduct } from './float-convolutions.ts';
import { MICROSOFT } from './graph.ts';
import { IntegerProducts, MIDDLE, type ZeroPoint } from './integer-products.ts';
import { type FileTensor, type ModelFile, integerAttribute } from './model-file.ts';
import { convolve } from './quantise-convolution.ts';
import { isRow, rowOffset } from './row-offset.ts';
import { ZeroPoints } from './zero-points.ts';

/** Version of the arithmetic, for fingerprints: raised by hand when a change here gives other numbers. */
export const INT8_SCHEME =
  'int8-4: weights 181 steps a column, activations 182 a row, block of frames or recording, also in convolutions; ' +
  'products take what is left beside the channel means of a sample, or give back what rounded weights lose of them';

/**
 * Turns, in place, every product with a constant matrix (MatMul, Gemm) of at least 64 x 64, and convolutions along time of at
 * least 64 channels, into products of integers; a convolution over a waveform becomes a float32 product; all else stays. Weights
 * have one scale for each output, fixed now; activations one scale for each row (token, frame), found when the model runs, each
 * block of frames that a convolution takes in one stride, or each recording where its windows overlap almost wholly. So a result
 * depends on nothing but its own row or recording, whatever it shares a batch with.
 *
 * @param means where given, products take x - mean, and their bias is larger by the mean's product: what all tokens share takes up
 *   no steps of a byte. Convolutions and what leaves a relu or a gelu take x as it is, and their bias makes up for what the rounding of
 *   weights loses of the mean
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
    if (conv !== undefined) {
      const channels = (conv.weight.shape[1] as number) * conv.groups;
      const mean = meanOf(means, input, channels);
      const given = { zero: zeros.of(input), mean, bias: tensors.get(biasOf(conv) ?? '') };
      last.set(output, convolve(products, conv, last.of(input), given));
    } else if (wave !== undefined) last.set(output, waveProduct(products, wave, input));
    else if (product !== undefined) {
      const bias = tensors.get(product.bias ?? '');
      const mean =
        product.bias === undefined || isRow(bias) ? meanOf(means, input, product.inputs) : undefined;
      replace(products, product, { zero: zeros.of(input), mean, bias });
    } else last.keep(node);
    if (conv !== undefined || product !== undefined) changed++;
  }
  last.finish();
  if (changed > 0) model.useDomain(MICROSOFT);
  return changed;
}

/** None where a value's channels were taken along another of its axes. */
function meanOf(means: ChannelMeans, value: string, channels: number): Float32Array | undefined {
  const mean = means.get(value);
  return mean?.length === channels ? mean : undefined;
}

interface Given {
  readonly zero: ZeroPoint;
  /** Of the input's channels, m. */
  readonly mean: Float32Array | undefined;
  readonly bias: FileTensor | undefined;
}

/**
 * y = x W + b  ->  y = step(x - m) * (bytes(x - m) bytes(W) * step(W)) + (m W + b). What leaves a relu or a gelu keeps its least value,
 * near which most of it lies: y = step(x) * (bytes(x) bytes(W) * step(W)) + (m (W - bytes(W) * step(W)) + b).
 */
function replace(products: IntegerProducts, product: ConstantProduct, { zero, mean, bias }: Given): void {
  const { weight, inputs, outputs, turned, flat, output } = product;
  const centred = mean !== undefined && zero === MIDDLE;
  const input = centred ? products.centred(product.input, mean) : product.input;
  const activation = products.activation(flat ? input : products.rows(input, inputs), zero);
  const weights = products.model.floats(weight);
  const matrix = products.matrix(weight.name, inputs, outputs, turned, () => weights);
  const addend =
    mean === undefined
      ? product.bias
      : products.floats(`offset_${[product.input, weight.name, product.bias].join('_')}`, [outputs], () => {
          const own = bias === undefined ? undefined : products.model.floats(bias);
          return rowOffset({ weights, turned, mean, bias: own, less: centred ? undefined : matrix.rounded });
        });
  const scaled = products.scaled(activation, matrix, flat && addend === undefined ? output : undefined);
  if (flat) {
    if (addend !== undefined) products.op('Add', [scaled, addend], [], '', output);
    return;
  }
  const sum = addend === undefined ? scaled : products.op('Add', [scaled, addend]);
  products.op('Reshape', [sum, placeOf(products, product.input, outputs)], [], '', output);
}

/** Shape of a product: the input's with another last dimension. */
function placeOf(products: IntegerProducts, input: string, outputs: number): string {
  const shape = products.op('Shape', [input]);
  const leading = products.op('Slice', [shape, products.int64([0]), products.int64([-1])]);
  return products.op('Concat', [leading, products.int64([outputs])], [integerAttribute('axis', 0)]);
}
