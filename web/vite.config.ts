import { defineConfig } from 'vite';

const server = 'http://127.0.0.1:8080';

// The build is committed and embedded in the Go binary, so its file names are
// stable and its bytes depend on the sources alone. The SDK, with its codec, is
// a file of its own: it changes less often than the page does.
export default defineConfig({
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
        entryFileNames: 'assets/app.js',
        chunkFileNames: 'assets/[name].js',
        assetFileNames: 'assets/[name][extname]',
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
