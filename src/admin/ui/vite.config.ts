import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const here = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

/** The administrator's page: into dist/admin/ui, which the node serves below /admin. */
export default defineConfig({
  root: here('.'),
  base: '/admin/',
  cacheDir: here('../../../node_modules/.cache/vite-admin'),
  plugins: [react()],
  // The node puts the nonce of the answer in its place: Mantine's style elements and those of lazy chunks need it.
  html: { cspNonce: '__CSP_NONCE__' },
  build: {
    outDir: here('../../../dist/admin/ui'),
    emptyOutDir: true,
    manifest: 'manifest.json',
    target: 'es2022',
    // Nothing inline: the page's policy allows images as data, but a file is cached.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
    rollupOptions: {
      // The bar that the viewer's page loads has a name that stays, because the page is not made here.
      input: { index: here('index.html'), 'viewer-bar': here('viewer-bar/viewer-bar.ts') },
      output: { entryFileNames: ({ name }) => (name === 'viewer-bar' ? 'viewer-bar.js' : 'assets/[name]-[hash].js') },
    },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8080', '/dicomweb': 'http://127.0.0.1:8080' } },
})
