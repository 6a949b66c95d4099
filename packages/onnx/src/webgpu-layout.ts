import { ModelFile, numberAttribute } from './model-file.ts';

/**
 * The layout in which onnxruntime's WebGPU provider is to compute a model's convolutions. Channels last is its own choice and
 * the faster one (half the time or less). But there (1.30) some are silently wrong: it writes four output channels at a time, all with
 * the inputs of the first one's group, where groups have more than four outputs and no multiple of four; and without groups it misreads 6,
 * 9, 15, ... input channels. Channels first is right for all; it is taken for all counts that are near these.
 * @param model the file, or its bytes
 */
export function webgpuLayout(model: Uint8Array | string): 'NHWC' | 'NCHW' {
  const file = typeof model === 'string' ? ModelFile.read(model) : ModelFile.parse(model);
  const shapes = new Map(file.initializers.map(({ name, shape }) => [name, shape]));
  const doubtful = file.nodes.some((node) => {
    if (node.type !== 'Conv') return false;
    const groups = numberAttribute(node, 'group') ?? 1;
    // Weights that are computed have a shape that is not known here.
    const [outputs = NaN, inputs = NaN] = shapes.get(node.inputs[1] ?? '') ?? [];
    const safe =
      groups === 1 ? inputs <= 3 || inputs % 4 === 0 : outputs / groups <= 4 || (outputs / groups) % 4 === 0;
    return !safe;
  });
  return doubtful ? 'NCHW' : 'NHWC';
}
