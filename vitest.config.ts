import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Both processors of a small machine: no test measures time.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    reporters: ['default'],
    coverage: {
      provider: 'v8',
      include: ['src/memory/**', 'src/monitor/**', 'src/schemes/**', 'src/machines/**'],
    },
  },
});
