import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { type Adapter, adapterOf } from './adapter.ts';
import { Graph } from './graph.ts';
import { modelBytes } from './model-writer.ts';
import { type Device, Session } from './session.ts';

/** How a device did. */
export interface Probe {
  /** Why it does not work, in one line; empty when it does. */
  readonly reason: string;
  /** WebGPU only, where it works. */
  readonly adapter?: Adapter;
}

/** Runs a tiny model on the CPU, in this process. */
export async function probeHere(): Promise<Probe> {
  try {
    const session = await Session.load(tinyModel(), 'cpu', { threads: 1 });
    await session.run({ x: { data: Float32Array.of(1), shape: [1, 1] } });
    await session.release();
    return { reason: '' };
  } catch (error) {
    return { reason: shortReason(String(error)) };
  }
}

/**
 * Runs in the other process; plain JavaScript, since it is passed as text. The Vulkan loader and onnxruntime are told to say
 * on stderr which devices they see and take.
 */
const PROBE = `
const [runtime, device, model] = process.argv.slice(1);
process.env.VK_LOADER_DEBUG = 'layer';
process.env.ORT_DISABLE_TELEMETRY ??= '1';
const ort = require(runtime);
ort.env.logLevel = 'info';
const options = { executionProviders: [device], logSeverityLevel: 4,
  extra: { session: { disable_cpu_ep_fallback: '1' } } };
(async () => {
  const session = await ort.InferenceSession.create(Buffer.from(model, 'base64'), options);
  const { y } = await session.run({ x: new ort.Tensor('float32', Float32Array.of(3), [1, 1]) });
  if (y.data[0] !== 6) throw new Error('the device computes 3 x 2 = ' + y.data[0]);
  process.stdout.write('works\\n', () => process.exit(0));
})().catch((error) => process.stdout.write('failed: ' + error.message, () => process.exit(1)));
`;

/** A driver that hangs counts as one that does not work. */
const PROBE_TIMEOUT_MS = 30_000;

/** Runs a tiny model on a GPU, in a process of its own. */
export async function probeApart(device: Device): Promise<Probe> {
  const model = Buffer.from(tinyModel()).toString('base64');
  const args = ['-e', PROBE, createRequire(import.meta.url).resolve('onnxruntime-node'), device, model];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { timeout: PROBE_TIMEOUT_MS }, (error, stdout, stderr) => {
      if (stdout.startsWith('works')) {
        resolve({
          reason: '',
          ...(device === 'webgpu' ? { adapter: adapterOf(stderr, process.platform) } : {}),
        });
      } else if (error?.killed === true) {
        resolve({ reason: `no answer within ${PROBE_TIMEOUT_MS / 1000} s` });
      } else {
        const ended = `the probe ended with ${error?.signal ?? error?.code ?? 'no answer'}`;
        resolve({ reason: shortReason(stdout.replace('failed: ', '') || ended) });
      }
    });
  });
}

/** The telling part of a runtime's message: paths, source positions and line breaks go. */
export function shortReason(message: string): string {
  const adapter = /Failed to get a WebGPU adapter: ([^\n]*)/.exec(message);
  if (adapter) return `no WebGPU adapter (${adapter[1]})`;
  const library = /Failed to load library \S+ with error: ([^\n]*)/.exec(message);
  if (library) return library[1] as string;
  const cuda = /(CUDA|CUDNN|CUBLAS) failure \d+: ([^;\n]*)/.exec(message);
  if (cuda) return `${cuda[1]}: ${(cuda[2] as string).trim()}`;
  const text = message
    .replace(/^\w*Error: /, '')
    .replaceAll(/\/\S+\.(?:cc|h|cpp):\d+/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}

function tinyModel(): Uint8Array {
  const graph = new Graph('probe');
  graph.input('x', 'float32', [1, 1]);
  graph.output(graph.op('MatMul', ['x', graph.constant('float32', [1, 1], [2])]), 'float32', [1, 1], 'y');
  return modelBytes(graph);
}
