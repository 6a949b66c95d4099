import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { cudaPlaces, lackingForCuda } from '../src/cuda-libraries.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-cuda-'));
afterAll(() => rmSync(folder, { recursive: true }));

const driver = join(folder, 'nvidiactl');
writeFileSync(driver, '');
let folders = 0;
const empty = (): string => {
  const made = join(folder, String(folders++));
  mkdirSync(made);
  return made;
};

describe('lackingForCuda', () => {
  it('looks beside onnxruntime itself', () => {
    const { folder: own } = cudaPlaces();
    expect(existsSync(join(own, 'onnxruntime_binding.node'))).toBe(true);
  });

  it('names the provider, where it should be, and how to get it', async () => {
    const bare = empty();
    expect(await lackingForCuda({ platform: 'linux', folder: bare, drivers: [driver] })).toBe(
      `libonnxruntime_providers_cuda.so is not in ${bare} (make setup-gpu fetches it)`,
    );
    expect(await lackingForCuda({ platform: 'win32', folder: bare, drivers: [] })).toContain(
      'onnxruntime_providers_cuda.dll is not in',
    );
    expect(await lackingForCuda({ platform: 'darwin', folder: bare, drivers: [] })).toBe(
      'needs Linux or Windows',
    );
  });

  it('says that there is no driver, in the same line', async () => {
    const bare = empty();
    const drivers = [join(bare, 'nvidiactl'), join(bare, 'dxg')];
    const said = await lackingForCuda({ platform: 'linux', folder: bare, drivers });
    expect(said).toMatch(/^no NVIDIA driver is loaded \(looked for .*nvidiactl, .*dxg\); libonnxruntime_/);
    expect(said).not.toContain('\n');
  });

  const linux = process.platform === 'linux';
  it.skipIf(!linux)('names each library that the provider needs and the loader does not find', async () => {
    const torn = empty();
    const provider = join(torn, 'libonnxruntime_providers_cuda.so');
    // A real shared object without what it is linked with: the binding, away from libonnxruntime.
    copyFileSync(join(cudaPlaces().folder, 'onnxruntime_binding.node'), provider);
    const said = await lackingForCuda({ platform: 'linux', folder: torn, drivers: [driver] });
    expect(said).toMatch(
      /^the dynamic loader does not find libonnxruntime\.so\.1 \(looked in LD_LIBRARY_PATH/,
    );
    expect(said).toMatch(
      /install CUDA 12 and cuDNN 9, or add the folders that hold them to LD_LIBRARY_PATH$/,
    );
    copyFileSync(join(cudaPlaces().folder, 'libonnxruntime.so.1'), join(torn, 'libonnxruntime.so.1'));
    expect(await lackingForCuda({ platform: 'linux', folder: torn, drivers: [driver] })).toBe('');
  });
});
