import { defineConfig, mergeConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

// Tests that need a browser: a tier of their own, so that no other test does.
export default mergeConfig(
  { ...base, test: { ...base.test, include: [] } },
  defineConfig({ test: { include: ['test/browser/**/*.test.ts'], exclude: [] } }),
);
