import * as cpu from '@tensorflow/tfjs-backend-cpu';
import { tf } from '@lsgmer/onnx';

/** Makes tfjs's plain CPU backend, which importing it registers, the current one; returns its version. */
export async function useCpu(): Promise<string> {
  await tf.setBackend('cpu');
  return cpu.version_cpu;
}
