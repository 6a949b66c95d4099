import { describe, expect, it } from 'vitest';
import {
  chooseAmong,
  chooseDevice,
  createSession,
  DeviceError,
  type DeviceReport,
  DEVICES,
  Graph,
  modelBytes,
  probeDevices,
} from '@lsgmer/onnx';

describe('devices', () => {
  it('reports every device, in order, with a one-line reason where it is absent', async () => {
    const reports = await probeDevices();
    expect(reports.map((report) => report.device)).toEqual(DEVICES);
    for (const { available, reason } of reports) {
      expect(reason === '').toBe(available);
      expect(reason).not.toContain('\n');
    }
    expect(reports.at(-1)).toEqual({
      device: 'cpu',
      available: true,
      reason: '',
      adapter: '',
      software: false,
    });
  });

  it('takes the first that works and is no software GPU', async () => {
    const first = (await probeDevices()).find(({ available, software }) => available && !software);
    expect(await chooseDevice('auto')).toBe(first?.device);
  });

  it('an absent device is an error that says why and what there is', async () => {
    const graph = new Graph();
    graph.input('x', 'float32', [1]);
    graph.output('x', 'float32', [1], 'y');
    for (const { device, available, reason } of await probeDevices()) {
      const created = createSession(modelBytes(graph), { device });
      if (available) {
        const session = await created;
        expect(session.device).toBe(device);
        await session.release();
      } else {
        await expect(created).rejects.toThrow(DeviceError);
        await expect(created).rejects.toThrow(`device ${device} is not available: ${reason}; available: `);
      }
    }
  });
});

describe('chooseAmong', () => {
  const report = (device: DeviceReport['device'], changes: Partial<DeviceReport> = {}): DeviceReport => ({
    device,
    available: true,
    reason: '',
    adapter: '',
    software: false,
    ...changes,
  });
  const absent = { available: false, reason: 'none here' };
  const llvmpipe = { adapter: 'llvmpipe (LLVM 15.0.6, 256 bits)', software: true };

  it('goes by the order of preference', () => {
    expect(chooseAmong([report('cuda'), report('webgpu'), report('cpu')], 'auto')).toBe('cuda');
    expect(chooseAmong([report('cuda', absent), report('webgpu'), report('cpu')], 'auto')).toBe('webgpu');
  });

  it('leaves a software GPU alone unless it is asked for', () => {
    const reports = [report('cuda', absent), report('webgpu', llvmpipe), report('cpu')];
    expect(chooseAmong(reports, 'auto')).toBe('cpu');
    expect(chooseAmong(reports, 'webgpu')).toBe('webgpu');
  });

  it('says what is wrong with the one that is asked for, and what there is', () => {
    const reports = [report('cuda', absent), report('webgpu', llvmpipe), report('cpu')];
    expect(() => chooseAmong(reports, 'cuda')).toThrow(
      new DeviceError('device cuda is not available: none here; available: webgpu, cpu'),
    );
    expect(() => chooseAmong([report('webgpu', absent), report('cpu', absent)], 'auto')).toThrow(
      'no device works: webgpu is not available: none here; cpu is not available: none here',
    );
  });
});
