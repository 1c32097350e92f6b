import { defineConfig } from 'vite';

const server = 'http://127.0.0.1:8080';

// The build is committed and embedded in the Go binary, so its bytes depend on
// the sources alone. Assets are named by their content: browsers keep them for
// good. The SDK, with its codec, is a file of its own: it changes less often
// than the page does. All addresses are relative: the page works under any path.
export default defineConfig({
  base: './',
  resolve: {
    alias: {
      'react/jsx-runtime': 'preact/jsx-runtime',
      'react-dom': 'preact/compat',
      react: 'preact/compat',
    },
  },
  build: {
    outDir: '../transport/web/dist',
    emptyOutDir: true,
    sourcemap: false,
    target: ['chrome111', 'firefox121', 'safari16.4'],
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        entryFileNames: 'assets/app-[hash].js',
        chunkFileNames: 'assets/[name]-[hash].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
        codeSplitting: {
          groups: [{ name: 'sdk', test: /sdk[\\/]js[\\/]|@bufbuild/ }],
        },
      },
    },
  },
  server: {
    proxy: {
      '/ws': { target: server, ws: true, changeOrigin: true },
      '/dev': server,
      '/sdk': server,
    },
  },
});
