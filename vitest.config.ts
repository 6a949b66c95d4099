import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Tests run on the sources, without a build of the packages.
  resolve: { conditions: ['@lsgmer/source'] },
  ssr: { resolve: { conditions: ['@lsgmer/source'] } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['test/browser/**', 'test/webgpu/**'],
    globalSetup: ['test/global-setup.ts'],
    // Generous: some tests start the command line a dozen times, and a shared machine may be slow. Timings decide nothing.
    testTimeout: 180_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
