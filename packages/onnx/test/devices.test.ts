import { describe, expect, it } from 'vitest';
import {
  chooseDevice,
  createSession,
  DeviceError,
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
    expect(reports.at(-1)).toEqual({ device: 'cpu', available: true, reason: '' });
  });

  it('takes the first that works', async () => {
    const first = (await probeDevices()).find((report) => report.available);
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
