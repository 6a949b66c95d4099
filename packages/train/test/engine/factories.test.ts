import * as cpu from '@tensorflow/tfjs-backend-cpu';
import { chooseDevice, tf } from '@lsgmer/onnx';
import { describe, expect, it } from 'vitest';
import { eagerEngine, onnxEngine } from '../../src/engine/factories.ts';
import { engineBatch, engineClasses, engineDims, engineHead } from '../support/engine-head.ts';

tf.env().set('IS_TEST', true); // no greeting
await tf.setBackend('cpu');

describe(`engine factories (tfjs-cpu ${cpu.version_cpu})`, () => {
  it('name engine and device, and make engines that agree', async () => {
    const traced = await onnxEngine({ device: 'cpu', threads: 1 });
    const eager = await eagerEngine();
    expect([traced.name, traced.device]).toEqual(['onnx', 'cpu']);
    expect([eager.name, eager.device]).toEqual(['tfjs', 'cpu']);
    expect((await onnxEngine()).device).toBe(await chooseDevice('auto'));
    const losses = [];
    for (const factory of [traced, eager]) {
      const engine = await factory.create(engineHead, {}, engineDims, engineClasses);
      engine.parameters.fill(0.1);
      losses.push((await engine.gradients(engineBatch(4, 3))).loss);
      await engine.dispose();
    }
    expect(losses[0]).toBeCloseTo(losses[1] as number, 6);
  });
});
