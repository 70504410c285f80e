import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['packages/*/src/**/*.test.{ts,tsx}', 'scripts/**/*.test.ts'],
    globalSetup: ['packages/store/src/test-server.setup.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
