import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Graph } from './graph.ts';
import { modelBytes } from './model-writer.ts';
import { type Device, type RunnerOptions, Session } from './session.ts';

/** Devices in the order of preference. */
export const DEVICES: readonly Device[] = ['cuda', 'webgpu', 'cpu'];

export interface DeviceReport {
  readonly device: Device;
  readonly available: boolean;
  /** Why the device cannot be used, in one line; empty when it can. */
  readonly reason: string;
}

export interface SessionOptions extends RunnerOptions {
  /** `auto` takes the first device that works, in the order of `DEVICES`. */
  readonly device?: Device | 'auto';
}

/** A device was asked for that does not work here. */
export class DeviceError extends Error {
  override readonly name = 'DeviceError';
}

/**
 * Loads a model, from bytes or from a file (which external data needs), and gets it ready to run.
 * @throws DeviceError when the device that was asked for does not work, with the reason in one line
 */
export async function createSession(
  model: Uint8Array | string,
  options: SessionOptions = {},
): Promise<Session> {
  return Session.load(model, await chooseDevice(options.device ?? 'auto'), options);
}

/**
 * The device to use.
 * @throws DeviceError when one is named that does not work here
 */
export async function chooseDevice(wanted: Device | 'auto'): Promise<Device> {
  if (wanted === 'cpu') return wanted;
  const reports = await probeDevices();
  const report = reports.find(({ device, available }) => (wanted === 'auto' ? available : device === wanted));
  if (report?.available === true) return report.device;
  if (report === undefined) throw new DeviceError(`no device works: ${reports.map(line).join('; ')}`);
  const others = reports.filter(({ available }) => available).map(({ device }) => device);
  throw new DeviceError(`device ${line(report)}; available: ${others.join(', ') || 'none'}`);
}

function line({ device, reason }: DeviceReport): string {
  return `${device} is not available: ${reason}`;
}

let probed: Promise<DeviceReport[]> | undefined;

/**
 * For each device whether it works here, and if not, why: found by running a tiny model on it, without falling
 * back to the CPU. GPUs are tried in a process of their own, since a broken driver can end the process that
 * loads it, and drivers print. The answer is kept for as long as this process runs.
 */
export function probeDevices(): Promise<DeviceReport[]> {
  probed ??= Promise.all(DEVICES.map(probe));
  return probed;
}

async function probe(device: Device): Promise<DeviceReport> {
  const reason = device === 'cpu' ? await tryHere() : (missingLibrary(device) ?? (await tryApart(device)));
  return { device, available: reason === '', reason };
}

async function tryHere(): Promise<string> {
  try {
    const session = await Session.load(tinyModel(), 'cpu', { threads: 1 });
    await session.run({ x: { data: Float32Array.of(1), shape: [1, 1] } });
    await session.release();
    return '';
  } catch (error) {
    return shortReason(String(error));
  }
}

/** Runs in the other process; plain JavaScript, since it is passed as text. */
const PROBE = `
const [runtime, device, model] = process.argv.slice(1);
const ort = require(runtime);
ort.env.logLevel = 'fatal';
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

async function tryApart(device: Device): Promise<string> {
  const model = Buffer.from(tinyModel()).toString('base64');
  const args = ['-e', PROBE, createRequire(import.meta.url).resolve('onnxruntime-node'), device, model];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { timeout: PROBE_TIMEOUT_MS }, (error, stdout, stderr) => {
      if (stdout.startsWith('works')) return resolve('');
      if (error?.killed === true) return resolve(`no answer within ${PROBE_TIMEOUT_MS / 1000} s`);
      const told = stdout.replace('failed: ', '') || stderr;
      resolve(shortReason(told || `the probe ended with ${error?.signal ?? error?.code ?? 'no answer'}`));
    });
  });
}

/** onnxruntime's CUDA libraries are a separate download: their absence needs no attempt. */
function missingLibrary(device: Device): string | undefined {
  if (device !== 'cuda') return undefined;
  if (process.platform !== 'linux' && process.platform !== 'win32') return 'needs Linux or Windows';
  const root = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  const file =
    process.platform === 'linux' ? 'libonnxruntime_providers_cuda.so' : 'onnxruntime_providers_cuda.dll';
  if (existsSync(join(root, 'bin', 'napi-v6', process.platform, process.arch, file))) return undefined;
  return `${file} is not installed (make setup-gpu fetches it)`;
}

/** The telling part of a runtime's message: paths, source positions and line breaks go. */
function shortReason(message: string): string {
  const adapter = /Failed to get a WebGPU adapter: ([^\n]*)/.exec(message);
  if (adapter) return `no WebGPU adapter (${adapter[1]})`;
  const library = /Failed to load library \S+ with error: (?:\S+: )?([^\n]*)/.exec(message);
  if (library) return library[1] as string;
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
