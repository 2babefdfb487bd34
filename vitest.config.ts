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
          testTimeout: 30_000,
          hookTimeout: 30_000,
          maxWorkers: 2,
        },
      },
    ],
  },
});
