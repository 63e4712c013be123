import { gzipSync } from 'node:zlib';

import { svelte } from '@sveltejs/vite-plugin-svelte';
import tailwindcss from '@tailwindcss/vite';
import { defineConfig } from 'vite';

// The gateway that `npm run dev` talks to.
const GATEWAY = 'http://127.0.0.1:8080';

/** Below this a packed file saves nothing. */
const SMALLEST = 1024;

/** Every text is packed once here, so that the gateway need not do it for each request. */
const packed = {
  name: 'wagate-packed',
  apply: 'build',
  generateBundle(_, bundle) {
    for (const [name, file] of Object.entries(bundle)) {
      const content = file.type === 'chunk' ? file.code : file.source;
      if (!/\.(js|css|svg)$/.test(name) || content.length < SMALLEST) continue;
      this.emitFile({ type: 'asset', fileName: `${name}.gz`, source: gzipSync(content, { level: 9 }) });
    }
  },
};

export default defineConfig({
  plugins: [svelte(), tailwindcss(), packed],
  build: {
    // The oldest browsers with `light-dark()`, which the colours are made of.
    target: ['chrome123', 'firefox120', 'safari17.5'],
    // What would be inlined are `data:` addresses, which the content security policy allows for pictures alone.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { '/v1': GATEWAY, '/api': GATEWAY } },
});
