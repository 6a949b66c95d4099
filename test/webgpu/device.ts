/** Where the tests of this folder run; run.mjs says so. */
export const DEVICE = process.env['LSGMER_TEST_DEVICE'] === 'cuda' ? 'cuda' : 'webgpu';
/** The device is Mesa's driver, which computes on the processor. */
export const SOFTWARE = process.env['LSGMER_TEST_SOFTWARE'] === '1';
/** What is promised: features and losses of the CPU to 1e-3. */
export const TOLERANCE = 1e-3;
