import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    reporters: ['default'],
    coverage: {
      provider: 'v8',
      include: ['src/memory/**', 'src/monitor/**', 'src/schemes/**', 'src/machines/**'],
    },
  },
});
