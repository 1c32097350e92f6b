import { defineConfig, type UserConfig } from 'tsdown';

// Three builds, because each of the files must stand alone under a fixed name:
// the drop-in and the core as modules of both kinds, the drop-in as a script.
const base: UserConfig = {
  target: 'es2020',
  platform: 'neutral',
  sourcemap: true,
  clean: false,
  hash: false,
  fixedExtension: false,
  tsconfig: 'tsconfig.json',
};

const bundled: UserConfig = { ...base, minify: true, deps: { alwaysBundle: [/./] } };
const modules: UserConfig = { format: ['esm', 'cjs'], dts: { oxc: true, sourcemap: false } };

export default defineConfig([
  { ...base, ...modules, entry: { core: 'src/index.ts' } },
  { ...bundled, ...modules, entry: { zim: 'src/zim/index.ts' }, outputOptions: { exports: 'named' } },
  {
    ...bundled,
    entry: { zim: 'src/zim/global.ts' },
    format: 'iife',
    sourcemap: false,
    dts: false,
    outputOptions: { entryFileNames: '[name].iife.js' },
  },
]) as UserConfig[];
