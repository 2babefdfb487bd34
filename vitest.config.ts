import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    restoreMocks: true,
    unstubEnvs: true,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          isolate: false,
          include: ['{connector,operator,e2e}/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/dist/**', '*/test/**'],
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['{connector,operator,e2e}/test/**/*.test.ts'],
          exclude: ['**/node_modules/**', 'e2e/test/cluster/**'],
          testTimeout: 30_000,
          hookTimeout: 30_000,
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: {
          // One real cluster for the run, so one file after the other.
          name: 'e2e',
          include: ['e2e/test/cluster/**/*.test.ts'],
          globalSetup: 'e2e/test/cluster/setup.ts',
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
          teardownTimeout: 60_000,
        },
      },
    ],
  },
});
