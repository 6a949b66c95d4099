import { type Device, tf } from '@lsgmer/onnx';
import type { EngineFactory } from '../experiment/request.ts';
import { EagerEngine } from './eager-engine.ts';
import { OnnxEngine, type OnnxEngineOptions, workingDevice } from './onnx-engine.ts';

/**
 * Makes traced engines that run on one device, chosen here once for all.
 * @throws UserError when the device that was asked for does not work here
 */
export async function onnxEngine(
  options: OnnxEngineOptions & { readonly device?: Device | 'auto' } = {},
): Promise<EngineFactory> {
  const device = await workingDevice(options.device ?? 'auto');
  return {
    name: 'onnx',
    device,
    create: (head, config, dims, classes) =>
      OnnxEngine.create(head, config, dims, classes, { ...options, device }),
  };
}

/** Makes eager engines on tfjs's current backend. */
export async function eagerEngine(): Promise<EngineFactory> {
  await tf.ready();
  return {
    name: 'tfjs',
    device: tf.getBackend(),
    create: async (head, config, dims, classes) => new EagerEngine(head, config, dims, classes),
  };
}
