// Encoders at full size with random weights, and the training step, on several devices, interleaved.
//
//   node bench/devices.mjs [--devices cpu,webgpu] [--models random-wavlm-mid,...] [--rounds 3]      (after `make setup`)
//   node test/webgpu/run.mjs -- node bench/devices.mjs     where WebGPU is Mesa's software driver
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createSession } from '../packages/onnx/dist/runtime.js';
import { makeRandomModel } from './random-models.mjs';
import { median, startSide } from './sides.mjs';

const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: 'cpu,webgpu' },
    models: { type: 'string', default: 'random-wavlm-mid,random-roberta-base,random-alexnet' },
    rounds: { type: 'string', default: '3' },
  },
});
const devices = values.devices.split(',');
const rounds = Number(values.rounds);
const folder = mkdtempSync(join(tmpdir(), 'lsgmer-devices-'));

/** What a graph is fed with: four seconds of sound or as many of a picture, or 64 tokens. */
function feedsOf({ inputs }) {
  const sound = inputs.some(({ name }) => name === 'input_values');
  return Object.fromEntries(
    inputs.map(({ name, type, shape: { length: axes } }) => {
      const shape = axes === 4 ? [1, 3, 256, 512] : axes === 3 ? [1, 256, 512] : [1, sound ? 64_000 : 64];
      const count = shape.reduce((product, dim) => product * dim, 1);
      const id = name === 'attention_mask' ? () => 1n : (_, i) => BigInt(5 + (i % 200));
      const data =
        type === 'int64'
          ? BigInt64Array.from({ length: count }, id)
          : Float32Array.from({ length: count }, (_, i) => Math.sin(i * 0.01 + (i % 7)));
      return [name, { data, shape }];
    }),
  );
}

function report(name, times, outputs) {
  const cells = devices.map((device) => `${device} ${median(times.get(device)).toFixed(0)} ms`);
  const ratio = devices
    .slice(1)
    .map((device) => (median(times.get(device)) / median(times.get(devices[0]))).toFixed(1));
  const scale = outputs && Math.max(...outputs[0].map(Math.abs));
  const error =
    outputs?.[1] && outputs[1].reduce((most, value, i) => Math.max(most, Math.abs(value - outputs[0][i])), 0);
  console.log(
    `${name}: ${cells.join(', ')} (x ${ratio.join(', ')})` +
      (error === undefined
        ? ''
        : `; largest difference ${error.toExponential(1)} of values up to ${scale.toFixed(1)}`),
  );
}

try {
  for (const name of values.models.split(',').filter(Boolean)) {
    const model = await makeRandomModel(name, folder, ['oh my god', 'what are you doing here']);
    const sessions = [];
    for (const device of devices) sessions.push(await createSession(join(model, 'model.onnx'), { device }));
    const feeds = feedsOf(sessions[0]);
    const outputs = [];
    for (const session of sessions) outputs.push(Object.values(await session.run(feeds))[0].data);
    const times = new Map(devices.map((device) => [device, []]));
    for (let round = 0; round < rounds; round++)
      for (const [i, device] of devices.entries()) {
        const start = performance.now();
        await sessions[i].run(feeds);
        times.get(device).push(performance.now() - start);
      }
    for (const session of sessions) await session.release();
    report(name, times, outputs);
  }
  const sides = devices.map((device) =>
    startSide({ name: device, command: [process.execPath, 'bench/step-ours.mjs', '16', '64', '2', device] }),
  );
  const times = new Map(devices.map((device) => [device, []]));
  for (const side of sides) await side.ask('run 2');
  for (let round = 0; round < rounds; round++)
    for (const side of sides) times.get(side.name).push(...(await side.ask('run 2')).ms);
  for (const side of sides) side.end();
  report('step of 32 rows, 16 tokens, 64 frames, d 256', times);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
