import { defineConfig, type UserConfig } from 'tsdown';

// Three builds, because each of the files must stand alone under a fixed name:
// the core for bundlers, the drop-in as one ES module, the drop-in as a script.
const base: UserConfig = {
  target: 'es2020',
  platform: 'neutral',
  sourcemap: false,
  clean: false,
  hash: false,
  fixedExtension: false,
  tsconfig: 'tsconfig.json',
};

const bundled: UserConfig = { ...base, minify: true, deps: { alwaysBundle: [/./] } };

export default defineConfig([
  { ...base, entry: { index: 'src/index.ts' }, format: 'esm', dts: { oxc: true } },
  { ...bundled, entry: { zim: 'src/zim/index.ts' }, format: 'esm', dts: { oxc: true } },
  {
    ...bundled,
    entry: { zim: 'src/zim/global.ts' },
    format: 'iife',
    dts: false,
    outputOptions: { entryFileNames: '[name].iife.js' },
  },
]) as UserConfig[];
