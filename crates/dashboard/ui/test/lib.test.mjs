// What goes out of the browser: commands to paste, files to open, numbers to send.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
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
const { numbersIn } = await load('numbers');
const { readNumber } = await load('phone');
const { Typist } = await load('typist');

const request = {
  method: 'POST',
  url: "http://localhost:8080/v1/devices/it's/messages",
  key: 'X-Api-Key',
  headers: { 'Idempotency-Key': 'key-1' },
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
    return { status: 200, text: async () => '' };
  };
  const code = snippet('node', request);
  const AsyncFunction = (async () => {}).constructor;
  await new AsyncFunction('fetch', 'process', 'console', code)(fetch, { env: {} }, { log() {} });
  assert.equal(called.url, request.url);
  assert.deepEqual(JSON.parse(called.options.body), request.body);
});

test('snippets say the same when they run', async (context) => {
  const heard = [];
  const server = createServer((asked, answer) => {
    let text = '';
    asked.setEncoding('utf8').on('data', (part) => (text += part));
    asked.on('end', () => {
      heard.push({ method: asked.method, url: asked.url, key: asked.headers['x-api-key'], name: asked.headers['idempotency-key'], body: text && JSON.parse(text) });
      answer.statusCode = 409;
      answer.end('no');
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  context.after(() => server.close());
  const base = `http://127.0.0.1:${server.address().port}`;
  const odd = { text: `it's "$HOME" \`id\` \\n\nnext – é`, list: [true, null, 1.5], empty: {} };
  const runs = [
    { ...request, url: `${base}/v1/x?a=b%20c&d=it's`, body: odd },
    { method: 'GET', url: `${base}/healthz`, key: null, headers: {} },
    { method: 'DELETE', url: `${base}/v1/x`, key: 'X-Api-Key', headers: {} },
  ];
  const commands = { curl: ['sh', '-s'], python: ['python3', '-'], node: ['node', '--input-type=module', '-'], php: ['php'] };
  for (const one of runs) {
    for (const language of SNIPPETS) {
      const [command, ...options] = commands[language];
      if (spawnSync(command, ['--version']).error) continue;
      heard.length = 0;
      const child = spawn(command, options, { env: { ...process.env, WAGATE_API_KEY: 'k' } });
      child.stdin.end(snippet(language, one));
      const said = await new Promise((done) => {
        let text = '';
        for (const pipe of [child.stdout, child.stderr]) pipe.on('data', (part) => (text += part));
        child.on('close', () => done(text));
      });
      const { pathname, search } = new URL(one.url);
      assert.equal(heard.length, 1, `${language}: ${said}`);
      assert.equal(heard[0].method, one.method, language);
      assert.equal(heard[0].url.replaceAll("'", '%27'), pathname + search, language);
      assert.equal(heard[0].key, one.key ? 'k' : undefined, language);
      assert.equal(heard[0].name, one.headers['Idempotency-Key'], language);
      assert.deepEqual(heard[0].body, one.body ?? '', language);
      assert.match(said, /no/, language);
    }
  }
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

test('the other end hears of typing every ten seconds, and that it ended', (context) => {
  const { timers } = context.mock;
  timers.enable({ apis: ['setTimeout', 'Date'] });
  const told = [];
  const typist = new Typist((state) => told.push(`${Date.now() / 1000} ${state}`));
  typist.stop();
  typist.typed('  ');
  assert.deepEqual(told, []);
  for (let second = 0; second < 21; second += 1) {
    typist.typed('x'.repeat(second + 1));
    timers.tick(1000);
  }
  assert.deepEqual(told.splice(0), ['0 composing', '10 composing', '20 composing']);
  timers.tick(4000);
  assert.deepEqual(told.splice(0), ['25 paused']);
  typist.typed('once more');
  typist.typed('');
  typist.stop();
  timers.tick(60_000);
  assert.deepEqual(told.splice(0), ['25 composing', '25 paused']);
  typist.typed('sent');
  typist.stop();
  timers.tick(60_000);
  assert.deepEqual(told, ['85 composing', '85 paused']);
});

test('numbers are found in lists and in tables', () => {
  assert.deepEqual(numbersIn('0812-3456-789\n\n+62 (811) 111, 08111111112;\r\n'), [
    '0812-3456-789',
    '+62 (811) 111',
    '08111111112',
  ]);
  const table = '\ufeffname,phone,since\n"Budi, Toko","0812 3456 789",2024\nAyu,,2023\n';
  assert.deepEqual(numbersIn(table), ['0812 3456 789', 'Ayu,,2023'], 'what cannot be read is told, the head is not');
  assert.deepEqual(numbersIn('12345\nhello'), ['12345', 'hello']);
  assert.deepEqual(numbersIn(''), []);
});
