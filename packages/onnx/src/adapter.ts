/** What computes behind WebGPU. */
export interface Adapter {
  /** As its driver names it; empty where nothing tells. */
  readonly name: string;
  /** A processor that plays a GPU: right, and far slower than the CPU provider. */
  readonly software: boolean;
}

/** Mesa's llvmpipe (lavapipe), SwiftShader, Windows' WARP, also behind a layer that hands calls on to them. */
const SOFTWARE = /llvmpipe|lavapipe|libvulkan_lvp|swiftshader|softpipe|basic render driver/i;

/**
 * The adapter that a process took, from what its Vulkan loader (`VK_LOADER_DEBUG=layer`) and onnxruntime (log level info) wrote.
 * onnxruntime does not hand it out. Where no Vulkan loader is at work, or an old one that does not name the device, a GPU
 * among the hardware that onnxruntime discovered has to do; on macOS there is always one.
 */
export function adapterOf(said: string, platform: NodeJS.Platform): Adapter {
  const [, name, driver] = /Using "([^"]*)" with driver: "([^"]*)"/.exec(said) ?? [];
  if (name !== undefined) return { name, software: SOFTWARE.test(`${name} ${driver}`) };
  const discovered = /Discovered OrtHardwareDevice \{[^}]*\btype:1\b/.test(said);
  return { name: '', software: platform !== 'darwin' && !discovered };
}
