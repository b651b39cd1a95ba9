import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

// Address of a hub (or of the mock) that the development server forwards the API to.
const backend = process.env.WATCHHOUSE_URL ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [vue()],
  define: {
    __VUE_OPTIONS_API__: 'false',
    __VUE_PROD_DEVTOOLS__: 'false',
    __VUE_I18N_LEGACY_API__: 'false',
    __INTLIFY_PROD_DEVTOOLS__: 'false',
  },
  build: {
    // Browsers on the target desktops start at this core; only syntax is lowered, not APIs.
    target: 'chrome90',
    cssTarget: 'chrome90',
    // data: URLs would need a wider content policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // dist/.keep stays; scripts/clean.mjs empties the folder around it.
    emptyOutDir: false,
    reportCompressedSize: false,
  },
  worker: { format: 'es' },
  server: {
    proxy: { '/api': { target: backend, ws: true, changeOrigin: false } },
  },
  test: {
    environment: 'happy-dom',
    include: ['test/unit/**/*.test.ts'],
  },
})
