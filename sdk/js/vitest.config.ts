import { defineConfig, type ViteUserConfig } from 'vitest/config';

// Generous limits: the machine may be busy, and no test waits for time to pass.
const config: ViteUserConfig = defineConfig({
  test: { include: ['test/**/*.test.ts'], testTimeout: 30_000, hookTimeout: 30_000 },
});
export default config;
