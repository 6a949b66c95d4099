import { ChannelsLast } from './channels-last.ts';
import { convolutionOf, waveConvolutionOf } from './convolution-rows.ts';
import { type ConstantProduct, constantProduct } from './constant-product.ts';
import { waveProduct } from './float-convolutions.ts';
import { MICROSOFT } from './graph.ts';
import { IntegerProducts, type ZeroPoint } from './integer-products.ts';
import { type ModelFile, integerAttribute } from './model-file.ts';
import { convolve } from './quantise-convolution.ts';
import { ZeroPoints } from './zero-points.ts';

/** Version of the arithmetic, for fingerprints: raised by hand when a change here gives other numbers. */
export const INT8_SCHEME =
  'int8-3: weights 181 steps a column, activations 182 a row, block of frames or recording, also in convolutions';

/**
 * Turns, in place, every product with a constant matrix (MatMul, Gemm) of at least 64 x 64, and convolutions along time of at
 * least 64 channels, into products of integers; a convolution over a waveform becomes a float32 product; all else stays. Weights
 * have one scale for each output, fixed now; activations one scale for each row (token, frame), found when the model runs, each
 * block of frames that a convolution takes in one stride, or each recording where its windows overlap almost wholly. So a result
 * depends on nothing but its own row or recording, whatever it shares a batch with.
 *
 * @returns how many products and convolutions were changed
 * @throws Error where the operator set is older than 13
 */
export function quantiseProducts(model: ModelFile): number {
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
    else if (product !== undefined) replace(products, product, zeros.of(input));
    else last.keep(node);
    if (conv !== undefined || product !== undefined) changed++;
  }
  last.finish();
  if (changed > 0) model.useDomain(MICROSOFT);
  return changed;
}

/** y = x W + b  ->  y = step(x) * (bytes(x) bytes(W) * step(W)) + b */
function replace(products: IntegerProducts, product: ConstantProduct, zero: ZeroPoint): void {
  const { input, weight, inputs, outputs, turned, flat, bias, output } = product;
  const activation = products.activation(flat ? input : products.rows(input, inputs), zero);
  const matrix = products.matrix(weight.name, inputs, outputs, turned, () => products.model.floats(weight));
  const scaled = products.scaled(activation, matrix, flat && bias === undefined ? output : undefined);
  if (bias !== undefined) products.op('Add', [scaled, bias], [], '', output);
  else if (!flat) products.op('Reshape', [scaled, placeOf(products, input, outputs)], [], '', output);
}

/** Shape of a product: the input's with another last dimension. */
function placeOf(products: IntegerProducts, input: string, outputs: number): string {
  const shape = products.op('Shape', [input]);
  const leading = products.op('Slice', [shape, products.int64([0]), products.int64([-1])]);
  return products.op('Concat', [leading, products.int64([outputs])], [integerAttribute('axis', 0)]);
}
