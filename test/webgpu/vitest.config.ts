import { defineConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

// Tests that need a GPU, or a driver that plays one: a tier of their own, so that no other test does.
export default defineConfig({
  ...base,
  test: { ...base.test, include: ['test/webgpu/**/*.test.ts'], exclude: [], maxWorkers: 1 },
});
