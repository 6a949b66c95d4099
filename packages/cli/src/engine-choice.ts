import { type Device, tf } from '@lsgmer/onnx';
import type { Reporter } from '@lsgmer/datasets';
import { eagerEngine, type EngineFactory, onnxEngine } from '@lsgmer/train';

export const ENGINES = ['onnx', 'tfjs'] as const;

export interface EngineAsk {
  readonly engine: (typeof ENGINES)[number];
  readonly device: Device | 'auto';
  readonly threads?: number | undefined;
}

/**
 * The engine of a training: traced graphs on onnxruntime, or op by op on the best tfjs backend that is installed.
 * @throws UserError when the device that was asked for does not work here
 */
export async function chooseEngine(
  { engine, device, threads }: EngineAsk,
  reporter: Reporter,
): Promise<EngineFactory> {
  if (engine === 'onnx') return onnxEngine({ device, ...(threads === undefined ? {} : { threads }) });
  await useTfjsBackend(reporter);
  return eagerEngine();
}

/** tfjs's own bindings to TensorFlow, where a user has them; they are no dependency of ours. */
const NATIVE = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'];

/** Makes the best installed tfjs backend current. */
export async function useTfjsBackend(reporter: Reporter): Promise<void> {
  tf.enableProdMode(); // no advice on the terminal, no checks of every value
  for (const name of NATIVE) {
    try {
      await import(name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') continue;
      reporter.warn(`${name} is installed but does not load: ${(error as Error).message.split('\n')[0]}`);
      continue;
    }
    if (await tf.setBackend('tensorflow')) {
      reporter.info(`tfjs backend tensorflow (${name})`);
      return;
    }
  }
  await import('@tensorflow/tfjs-backend-cpu');
  await tf.setBackend('cpu');
  reporter.info(
    'tfjs backend cpu: plain JavaScript, hundreds of times slower than --engine onnx; install @tensorflow/tfjs-node-gpu for TensorFlow',
  );
}
