/**
 * How onnxruntime (its arena, CUDA, cuBLAS), Dawn behind WebGPU and the C++ library say that there is no memory left, or that a
 * tensor is larger than the device takes. WebGPU cuts a tensor beyond its binding size in pieces and then counts too many of them.
 */
const OUT_OF_MEMORY =
  /out of memory|not enough memory|failed to allocate memory|bad_alloc|ALLOC_FAILED|OUT_OF_(DEVICE|HOST)_MEMORY|available memory of .* is smaller|exceeds the max buffer size|buffer allocation is too large|too many storage buffers/i;

/** After these a device computes nothing any more in the process that used it. */
const LOST =
  /device (is |was )?lost|CUDA failure (700|702|710|716|717|718|719):|illegal memory access|unspecified launch failure|device-side assert/i;

/** The batch was too large: a smaller one may fit. */
export function isOutOfMemory(message: string): boolean {
  return OUT_OF_MEMORY.test(message) && !isDeviceLost(message);
}

/** The device is gone: nothing can be held against the batch. */
export function isDeviceLost(message: string): boolean {
  return LOST.test(message);
}
