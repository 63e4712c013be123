import { execFileSync } from 'node:child_process';

import { expect, signIn, test } from './dashboard.js';
import { KEY } from './places.js';

test('the documentation lists exactly what the gateway describes', async ({ page, request }) => {
  const { paths } = await (await request.get('/openapi.json')).json();
  const described = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item)
      .filter((name) => ['get', 'post', 'put', 'patch', 'delete'].includes(name))
      .map((method) => `${method.toUpperCase()} ${path}`),
  );
  await signIn(page, '/docs');
  await expect(page.getByRole('heading', { name: 'API Documentation', level: 1 })).toBeVisible();
  const shown = page.locator('[data-operation]');
  await expect(shown).toHaveCount(described.length);
  const listed = await shown.evaluateAll((found) => found.map((one) => one.dataset.operation));
  expect(listed.sort()).toEqual(described.sort());
});

test('the thirteen endpoints stand in their order under their names', async ({ page }) => {
  await signIn(page, '/docs');
  await expect(page.getByRole('heading', { name: 'Authentication' })).toBeVisible();
  await expect(page.getByText('apikey: YOUR_API_KEY', { exact: true })).toBeVisible();
  const names = [
    'Start Session', 'Get QR Code', 'Get Status', 'Send Message', 'Get Contacts', 'Get Groups', 'Logout', 'Reconnect',
    'List Devices', 'Delete Device', 'Update Webhook', 'Update Workspace', 'Get Workspaces',
  ];
  const chapter = page.locator('#chapter-seed');
  await expect(chapter).toBeVisible();
  const titles = await chapter.locator('summary').allInnerTexts();
  const numbered = titles.flatMap((text) => text.match(/\d+\. .*/)?.[0] ?? []);
  expect([...new Set(numbered)]).toEqual(names.map((name, index) => `${index + 1}. ${name}`));
});

test('a request is tried with the session, and the same as code gives the same answer', async ({ page, baseURL }) => {
  await signIn(page, '/docs?operation=list_workspaces');
  const operation = page.locator('#operation-list_workspaces');
  await operation.getByRole('button', { name: 'Send request' }).click();
  await expect(operation.getByText('200 OK')).toBeVisible();
  const answer = JSON.parse(await operation.locator('[data-answer]').innerText());
  expect(answer).toHaveProperty('data');
  const command = await operation.getByLabel('cURL', { exact: true }).innerText();
  expect(command).toContain(`${baseURL}/v1/workspaces`);
  const printed = execFileSync('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, WAGATE_API_KEY: KEY } }).toString();
  expect(JSON.parse(printed)).toEqual(answer);
});

test('what takes a key alone asks for one, and works with it', async ({ page }) => {
  await signIn(page, '/docs?operation=seed_list_devices');
  const operation = page.locator('#operation-seed_list_devices');
  await operation.getByRole('button', { name: 'Send request' }).click();
  await expect(operation.getByRole('alert')).toHaveText('Enter an API key at the top of this page first.');
  await page.getByLabel('API key for trying').fill(KEY);
  await operation.getByRole('button', { name: 'Send request' }).click();
  await expect(operation.getByText('200 OK')).toBeVisible();
  await expect(operation.locator('[data-answer]')).toContainText('"total"');
});

test('a body that is no JSON is not sent', async ({ page }) => {
  await signIn(page, '/docs?operation=create_device');
  const operation = page.locator('#operation-create_device');
  const sent = [];
  page.on('request', (request) => request.method() === 'POST' && sent.push(request.url()));
  await operation.getByLabel('Request body').fill('{ "token": ');
  await operation.getByRole('button', { name: 'Send request' }).click();
  await expect(operation.getByRole('alert')).toContainText('This is not valid JSON');
  expect(sent).toEqual([]);
});

test('an answer without end is shown while it comes, and stopped', async ({ page }) => {
  await signIn(page, '/docs?operation=open_stream');
  const operation = page.locator('#operation-open_stream');
  await operation.getByRole('button', { name: 'Send request' }).click();
  await expect(operation.locator('[data-answer]')).toContainText(': open');
  await operation.getByRole('button', { name: 'Stop' }).click();
  await expect(operation.getByRole('button', { name: 'Stop' })).toHaveCount(0);
});

test('endpoints are searched, and found again by their address', async ({ page }) => {
  await signIn(page, '/docs');
  await expect(page.locator('[data-operation]').first()).toBeVisible();
  await page.getByLabel('Search endpoints').fill('rotate');
  await expect(page.locator('[data-operation]')).toHaveCount(1);
  await page.getByRole('navigation', { name: 'Contents' }).getByRole('link').click();
  await expect(page).toHaveURL(/operation=rotate_webhook_secret/);
  await expect(page.locator('#operation-rotate_webhook_secret').getByRole('button', { name: 'Send request' })).toBeVisible();
});

test('the documentation speaks the language of its reader', async ({ page }) => {
  await signIn(page, '/docs');
  await page.locator('aside').getByRole('button').click();
  await page.getByLabel('Language').selectOption('Bahasa Indonesia');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('heading', { name: 'Dokumentasi API', level: 1 })).toBeVisible();
  await expect(page.locator('#operation-seed_send_message').getByText('4. Kirim Pesan')).toBeVisible();
});

test('Swagger UI needs nothing but this gateway', async ({ page, baseURL }) => {
  const elsewhere = [];
  // Everything else is cut off.
  await page.route('**/*', (route) => {
    if (new URL(route.request().url()).origin === new URL(baseURL).origin) return route.continue();
    elsewhere.push(route.request().url());
    return route.abort();
  });
  await page.goto('/swagger-ui/');
  await expect(page.getByRole('heading', { name: /^wagate/ })).toBeVisible();
  await expect(page.locator('.opblock-tag').first()).toBeVisible();
  expect(elsewhere.filter((url) => !url.startsWith('data:'))).toEqual([]);
});

test('every type of event has a sample in the formats that have it', async ({ page }) => {
  await signIn(page, '/webhooks');
  await page.getByRole('button', { name: 'Event catalogue' }).click();
  const dialog = page.getByRole('dialog', { name: 'Event catalogue' });
  const types = dialog.locator('[data-event-type]');
  await expect(types).toHaveCount(15);
  await dialog.getByText('message.received', { exact: true }).click();
  const sample = dialog.getByLabel('Sample of message.received', { exact: true });
  await expect(sample).toContainText('"type": "message.received"');
  await dialog.getByRole('button', { name: 'Classic' }).click();
  await expect(sample).toContainText('"event": "message"');
  await dialog.getByText('webhook.disabled', { exact: true }).click();
  await expect(dialog.locator('[data-event-type="webhook.disabled"]').getByText('never get this type')).toBeVisible();
  await dialog.getByLabel('Search event types').fill('call.');
  await expect(types).toHaveCount(1);
});
