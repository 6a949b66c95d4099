import { describe, expect, it } from 'vitest';
import { adapterOf } from '../src/adapter.ts';

/** As Khronos' loader 1.3.239 writes it. */
const taken = (name: string, driver: string): string =>
  `LAYER:            vkCreateDevice layer callstack setup to:
LAYER:               <Device>
LAYER:                   Using "${name}" with driver: "${driver}"
`;
const hardware = (type: number): string =>
  `[I:onnxruntime:onnxruntime-node, device_discovery_common.cc:34 operator()] Discovered OrtHardwareDevice {vendor_id:0x1022, device_id:0x0, vendor:AMD, type:0, metadata: []}
[I:onnxruntime:onnxruntime-node, device_discovery_common.cc:34 operator()] Discovered OrtHardwareDevice {vendor_id:0x10de, device_id:0x2330, vendor:x, type:${type}, metadata: [Discrete=1]}`;

describe('adapterOf', () => {
  it.each([
    ['llvmpipe (LLVM 15.0.6, 256 bits)', 'libvulkan_lvp.so'],
    ['SwiftShader Device (LLVM 10.0.0)', '/opt/chrome/libvk_swiftshader.so'],
    ['Virtio-GPU Venus (llvmpipe (LLVM 19.1.1, 256 bits))', 'libvulkan_virtio.so'],
    ['Microsoft Direct3D12 (Microsoft Basic Render Driver)', 'libvulkan_dzn.so'],
    ['renamed', '/usr/lib/x86_64-linux-gnu/libvulkan_lvp.so'],
  ])('%s is a software GPU, whatever hardware there is beside it', (name, driver) => {
    expect(adapterOf(hardware(1) + '\n' + taken(name, driver), 'linux')).toEqual({ name, software: true });
  });

  it.each([
    ['NVIDIA H100 80GB HBM3', 'libGLX_nvidia.so.0'],
    ['AMD Radeon RX 7900 XTX (RADV NAVI31)', 'libvulkan_radeon.so'],
    ['Intel(R) Arc(tm) A770 Graphics (DG2)', 'libvulkan_intel.so'],
    ['Microsoft Direct3D12 (NVIDIA GeForce RTX 4090)', 'libvulkan_dzn.so'],
  ])('%s is a GPU', (name, driver) => {
    expect(adapterOf(taken(name, driver), 'linux')).toEqual({ name, software: false });
  });

  it('goes by the hardware where no loader names a device', () => {
    expect(adapterOf(hardware(1), 'win32')).toEqual({ name: '', software: false });
    expect(adapterOf(hardware(2), 'win32')).toEqual({ name: '', software: true });
    expect(adapterOf('', 'linux')).toEqual({ name: '', software: true });
    expect(adapterOf('', 'darwin')).toEqual({ name: '', software: false });
  });
});
