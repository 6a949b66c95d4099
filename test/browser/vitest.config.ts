import { defineConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

// Tests that need a browser: a tier of their own, so that no other test does.
export default defineConfig({
  ...base,
  test: { ...base.test, include: ['test/browser/**/*.test.ts'], exclude: [], hookTimeout: 60_000 },
});
