// SPDX-License-Identifier: Apache-2.0
/*
 * The build. Everything lands in dist/, which the collector serves under `/` with a
 * Content-Security-Policy of 'self': no inline script or style, no data: script, and no
 * module preload shim (it would be inlined). `npm run dev` proxies the API to a running
 * collector, WEFT_URL or http://127.0.0.1:4040.
 */
import { defineConfig } from 'vitest/config';

const collector = process.env['WEFT_URL'] ?? 'http://127.0.0.1:4040';

export default defineConfig({
  base: '/',
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  worker: { format: 'es' },
  server: { proxy: { '/api': collector } },
  test: { include: ['src/**/*.test.ts'], environment: 'node', css: true },
});
