import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { svelte } from '@sveltejs/vite-plugin-svelte';
import tailwindcss from '@tailwindcss/vite';
import { defineConfig } from 'vite';

// The gateway that `npm run dev` talks to.
const GATEWAY = 'http://127.0.0.1:8080';

/** Below this a packed file saves nothing. */
const SMALLEST = 1024;

/** Every text is packed once here, so that the gateway need not do it for each request. From what was written, because
 * Vite changes files up to the end. */
const packed = {
  name: 'wagate-packed',
  apply: 'build',
  writeBundle({ dir }, bundle) {
    for (const name of Object.keys(bundle).filter((name) => /\.(js|css)$/.test(name))) {
      const content = readFileSync(join(dir, name));
      if (content.length >= SMALLEST) writeFileSync(join(dir, `${name}.gz`), gzipSync(content, { level: 9 }));
    }
  },
};

/** What the first screen is made of, and most others as well. In one file: as many small ones their heads alone would
 * be a tenth of what is loaded. */
const COMMON = new RegExp(
  [
    String.raw`/node_modules/(svelte|esm-env|clsx|@tanstack)/`,
    String.raw`/node_modules/@lucide/svelte/dist/(Icon|defaultAttributes|icons/(check|copy|circle-alert|plus|x)\.)`,
    String.raw`/src/lib/(api/|i18n/index|account|cache|now|router|states|stream|theme|toasts)`,
    String.raw`/src/components/(Ago|Await|Badge|Brand|Confirm|Copy|Empty|Entrance|Failed|Field|Modal|PageHead|Pager|Spinner|StateBadge)\.svelte`,
  ].join('|'),
);

export default defineConfig({
  plugins: [svelte(), tailwindcss(), packed],
  build: {
    // The oldest browsers with `light-dark()`, which the colours are made of.
    target: ['chrome123', 'firefox120', 'safari17.5'],
    // What would be inlined are `data:` addresses, which the content security policy allows for pictures alone.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'common', test: COMMON }] } } },
  },
  server: { proxy: { '/v1': GATEWAY, '/api/': GATEWAY } },
});
