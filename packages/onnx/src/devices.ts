import { cudaPlaces, lackingForCuda } from './cuda-libraries.ts';
import { probeApart, probeHere } from './probe.ts';
import { type Device, type RunnerOptions, Session } from './session.ts';

/** Devices in the order of preference. */
export const DEVICES: readonly Device[] = ['cuda', 'webgpu', 'cpu'];

export interface DeviceReport {
  readonly device: Device;
  readonly available: boolean;
  /** Why the device cannot be used, in one line; empty when it can. */
  readonly reason: string;
  /** What computes, as its driver names it; empty where nothing tells. */
  readonly adapter: string;
  /** A processor that plays a GPU (llvmpipe, SwiftShader): `auto` leaves it alone. */
  readonly software: boolean;
}

export interface SessionOptions extends RunnerOptions {
  /** `auto` takes the first device that works, in the order of `DEVICES`, and no software GPU. */
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
  return wanted === 'cpu' ? wanted : chooseAmong(await probeDevices(), wanted);
}

/**
 * The device to use, by what was found out about each. Pure.
 * @throws DeviceError when the one that is named does not work, or none does
 */
export function chooseAmong(reports: readonly DeviceReport[], wanted: Device | 'auto'): Device {
  const report = reports.find(({ device, available, software }) =>
    wanted === 'auto' ? available && !software : device === wanted,
  );
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
  const lacking = device === 'cuda' ? await lackingForCuda(cudaPlaces()) : '';
  const { reason, adapter } =
    device === 'cpu' ? await probeHere() : lacking === '' ? await probeApart(device) : { reason: lacking };
  return {
    device,
    available: reason === '',
    reason,
    adapter: adapter?.name ?? '',
    software: adapter?.software ?? false,
  };
}
