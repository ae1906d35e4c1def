import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** Where `npm run dev` finds a running collector. */
const collector = process.env.SPANLOOM_URL ?? 'http://127.0.0.1:4319'

export default defineConfig({
  plugins: [react()],
  base: '/',
  build: {
    outDir: 'dist',
    sourcemap: false,
    // The page's security policy allows scripts from the collector only, data: included.
    assetsInlineLimit: 0,
    // Read by test/bundle-size.test.ts, which needs to know what the first page loads.
    manifest: true
  },
  server: { proxy: { '/api': collector, '/metrics': collector } }
})
