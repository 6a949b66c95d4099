import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSession, type SessionOptions } from './devices.ts';
import type { Session } from './session.ts';

/** A model, and whether the runtime has optimised it already. */
export interface Prepared {
  readonly bytes: Uint8Array;
  readonly optimised: boolean;
}

/**
 * A session, and what the next session of the same model is made of: on the CPU the model as the runtime optimised it, which is
 * ready in 20 ms instead of 50 (740 nodes) and computes the same bits. It suits this machine and this version of the
 * runtime only: keep it in memory.
 * @throws as createSession does
 */
export async function createPrepared(
  { bytes, optimised }: Prepared,
  options: SessionOptions & { readonly device: 'cuda' | 'webgpu' | 'cpu' },
): Promise<{ readonly session: Session; readonly prepared: Prepared }> {
  const prepared = { bytes, optimised };
  if (optimised || options.device !== 'cpu')
    return { session: await createSession(bytes, { ...options, optimised }), prepared };
  let folder: string | undefined;
  try {
    // The runtime hands the optimised model out as a file only.
    folder = mkdtempSync(join(tmpdir(), 'lsgmer-model-'));
    const path = join(folder, 'optimised.onnx');
    const session = await createSession(bytes, { ...options, writeOptimised: path });
    return { session, prepared: { bytes: readFileSync(path), optimised: true } };
  } catch {
    // No room for temporary files, perhaps: then without. What is wrong with the model shows here.
    return { session: await createSession(bytes, options), prepared };
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}
