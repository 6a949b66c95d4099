import { describe, expect, it } from 'vitest';
import { isDeviceLost, isOutOfMemory } from '../../src/run/device-failures.ts';

describe('device failures', () => {
  it.each([
    'BFCArena::AllocateRawInternal(size_t, bool, onnxruntime::Stream*) Failed to allocate memory for requested buffer of size 78643200000',
    'Available memory of 1024 is smaller than requested bytes of 4096',
    'CUDA failure 2: out of memory ; GPU=0 ; hostname=h',
    'CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED',
    'std::bad_alloc',
    // WebGPU, seen on llvmpipe with a tensor of 4 GiB
    'numbers_storage_buffers_ <= limits_.maxStorageBuffersPerShaderStage was false. Too many storage buffers in shader. Current: 34, Max is 16',
    'Buffer size (4294967296) exceeds the max buffer size limit (2147483648).',
    'VK_ERROR_OUT_OF_DEVICE_MEMORY',
  ])('no memory: %s', (message) => {
    expect([isOutOfMemory(message), isDeviceLost(message)]).toEqual([true, false]);
  });

  it.each([
    'WebGPU device lost (2): A valid external Instance reference no longer exists.',
    'WebGPU device lost (1): out of memory',
    'CUDA failure 700: an illegal memory access was encountered ; GPU=0',
    'CUDA failure 719: unspecified launch failure',
    'device-side assert triggered',
  ])('gone: %s', (message) => {
    expect([isOutOfMemory(message), isDeviceLost(message)]).toEqual([false, true]);
  });

  it('neither: a fault of the input', () => {
    const message =
      'Got invalid dimensions for input: x for the following indices index: 1 Got: 3 Expected: 2';
    expect([isOutOfMemory(message), isDeviceLost(message)]).toEqual([false, false]);
  });
});
