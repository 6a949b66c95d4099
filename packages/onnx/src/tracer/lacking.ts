import { tf } from '../tfjs.ts';
import { BACKEND_NAME } from './backend.ts';
import { traceBackend } from './trace.ts';

/**
 * Runs something on the current tfjs backend and says which of the kernels that it used cannot be traced: all of
 * them at once, where tracing stops at the first.
 */
export async function lackingKernels(
  run: () => Promise<unknown>,
): Promise<{ readonly used: string[]; readonly lacking: string[] }> {
  traceBackend();
  const traceable = new Set(tf.getKernelsForBackend(BACKEND_NAME).map((kernel) => kernel.kernelName));
  const used = new Set<string>();
  const engine = tf.engine();
  const original = engine.runKernel.bind(engine);
  const own = Object.getOwnPropertyDescriptor(engine, 'runKernel');
  engine.runKernel = (name, ...rest) => {
    used.add(name);
    return original(name, ...rest) as never;
  };
  try {
    await run();
  } finally {
    if (own === undefined) Reflect.deleteProperty(engine, 'runKernel');
    else Object.defineProperty(engine, 'runKernel', own);
  }
  return { used: [...used].sort(), lacking: [...used].filter((name) => !traceable.has(name)).sort() };
}
