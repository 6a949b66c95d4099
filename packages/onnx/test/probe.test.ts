import { describe, expect, it } from 'vitest';
import { cudaPlaces, lackingForCuda } from '../src/cuda-libraries.ts';
import { probeApart, probeHere, shortReason } from '../src/probe.ts';

describe('probes', () => {
  it('the CPU works', async () => {
    expect(await probeHere()).toEqual({ reason: '' });
  });

  it('a provider that cannot be loaded is a reason of one line', async (context) => {
    // The runtime's package has no CUDA without a further download.
    if ((await lackingForCuda(cudaPlaces())) === '') {
      console.log('skipped: CUDA and its libraries are installed here');
      context.skip();
    }
    const { reason } = await probeApart('cuda');
    expect(reason).not.toBe('');
    expect(reason).not.toContain('\n');
    expect(reason).not.toContain('LAYER');
  });
});

describe('shortReason', () => {
  it.each([
    [
      'Error: Failed to get a WebGPU adapter: No supported adapters\n  at x',
      'no WebGPU adapter (No supported adapters)',
    ],
    [
      '/onnxruntime_src/onnxruntime/core/session/provider_bridge_ort.cc:2167 onnxruntime::Provider& Get() [ONNXRuntimeError] : 1 : FAIL : Failed to load library libonnxruntime_providers_cuda.so with error: libcublasLt.so.12: cannot open shared object file: No such file or directory\n',
      'libcublasLt.so.12: cannot open shared object file: No such file or directory',
    ],
    [
      'CUDA failure 100: no CUDA-capable device is detected ; GPU=-1 ; hostname=h ; file=/x/cuda_execution_provider.cc ; line=1',
      'CUDA: no CUDA-capable device is detected',
    ],
    ['Error: a\n  b /src/x.cc:12 c', 'a b c'],
  ])('%s', (message, reason) => {
    expect(shortReason(message)).toBe(reason);
  });
});
