// What goes out of the browser: commands to paste, files to open, numbers to send.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { transformWithOxc } from 'vite';
import * as numbers from 'libphonenumber-js/min';

async function load(name) {
  const path = new URL(`../src/lib/${name}.ts`, import.meta.url);
  const { code } = await transformWithOxc(readFileSync(path, 'utf8'), path.pathname, { sourcemap: false });
  return import(`data:text/javascript,${encodeURIComponent(code)}`);
}

const { snippet, SNIPPETS } = await load('snippets');
const { csv } = await load('csv');
const { readNumber } = await load('phone');

const request = {
  url: "http://localhost:8080/v1/devices/it's/messages",
  idempotencyKey: 'key-1',
  body: { to: '+628123456789', text: `it's "$HOME" \`id\` \\n\nnext` },
};

test('the shell gets the body as it is', () => {
  const script = `curl() { printf '%s\\0' "$@"; }\n${snippet('curl', request)}`;
  const words = execFileSync('sh', ['-c', script], { env: { WAGATE_API_KEY: 'k' } }).toString().split('\0');
  assert.ok(words.includes(request.url));
  assert.ok(words.includes('X-Api-Key: k'));
  assert.deepEqual(JSON.parse(words[words.indexOf('-d') + 1]), request.body);
});

test('node gets the body as it is', async () => {
  let called;
  const fetch = async (url, options) => {
    called = { url, options };
    return { json: async () => ({}) };
  };
  const code = snippet('node', request);
  const AsyncFunction = (async () => {}).constructor;
  await new AsyncFunction('fetch', 'process', 'console', code)(fetch, { env: {} }, { log() {} });
  assert.equal(called.url, request.url);
  assert.deepEqual(JSON.parse(called.options.body), request.body);
});

test('uploads are shortened, in all languages', () => {
  const body = { to: '+1', file_url: `data:image/png;base64,${'A'.repeat(100_000)}` };
  for (const language of SNIPPETS) assert.ok(snippet(language, { ...request, body }).length < 2000, language);
});

test('a name is no formula', () => {
  assert.equal(csv([['=HYPERLINK("x")', '+62812', '-1+1', 'a,b']]), `"'=HYPERLINK(""x"")",+62812,'-1+1,"a,b"\r\n`);
});

test('numbers are read as people of a country write them', () => {
  const read = (text, country) => readNumber(numbers, text, country)?.e164 ?? null;
  assert.equal(read('0812-3456-7890', 'ID'), '+6281234567890');
  assert.equal(read('(11) 91234-5678', 'BR'), '+5511912345678');
  assert.equal(read('098765 43210', 'IN'), '+919876543210');
  assert.equal(read('+62 812 3456 7890', 'BR'), '+6281234567890');
  assert.equal(read('0062 812 3456 7890', 'BR'), '+6281234567890');
  assert.equal(read('12', 'ID'), null);
  assert.equal(read('hello', 'ID'), null);
});
