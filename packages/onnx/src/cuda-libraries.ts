import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Where CUDA's parts are looked for; tests give other places. */
export interface CudaPlaces {
  readonly platform: NodeJS.Platform;
  /** Folder of onnxruntime's own libraries. */
  readonly folder: string;
  /** Files of which one is there when a driver is loaded. */
  readonly drivers: readonly string[];
}

/** Linux: NVIDIA's own driver, and Windows' one seen from WSL. */
const DRIVERS = ['/dev/nvidiactl', '/dev/dxg'];

export function cudaPlaces(): CudaPlaces {
  const root = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  const folder = join(root, 'bin', 'napi-v6', process.platform, process.arch);
  return { platform: process.platform, folder, drivers: process.platform === 'linux' ? DRIVERS : [] };
}

/**
 * What CUDA lacks here, in one line, before anything is tried: a driver, onnxruntime's provider, which is a download of its own,
 * or libraries that the provider is linked with (CUDA 12, cuDNN 9).
 * @returns an empty text where all of it is there
 */
export async function lackingForCuda({ platform, folder, drivers }: CudaPlaces): Promise<string> {
  if (platform !== 'linux' && platform !== 'win32') return 'needs Linux or Windows';
  const lacking: string[] = [];
  if (drivers.length > 0 && !drivers.some((file) => existsSync(file)))
    lacking.push(`no NVIDIA driver is loaded (looked for ${drivers.join(', ')})`);
  const provider =
    platform === 'linux' ? 'libonnxruntime_providers_cuda.so' : 'onnxruntime_providers_cuda.dll';
  if (!existsSync(join(folder, provider)))
    lacking.push(`${provider} is not in ${folder} (make setup-gpu fetches it)`);
  else if (platform === 'linux') {
    const absent = await absentLibraries(join(folder, provider));
    if (absent.length > 0)
      lacking.push(
        `the dynamic loader does not find ${absent.join(', ')} (looked in LD_LIBRARY_PATH and the system's library cache): ` +
          'install CUDA 12 and cuDNN 9, or add the folders that hold them to LD_LIBRARY_PATH',
      );
  }
  return lacking.join('; ');
}

/** Libraries that a shared object needs and the dynamic loader does not find; none where `ldd` cannot tell. */
async function absentLibraries(file: string): Promise<string[]> {
  const listing = await new Promise<string>((resolve) => {
    execFile('ldd', [file], { timeout: 10_000 }, (_error, stdout) => resolve(stdout));
  });
  return [...listing.matchAll(/^\s*(\S+) => not found/gm)].map(([, name]) => name as string);
}
