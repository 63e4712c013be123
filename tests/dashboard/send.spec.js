import { createHash } from 'node:crypto';

import { expect, signIn, test, unique } from './dashboard.js';
import { gives, receiver } from './receiver.js';
import { forget, linked, person } from './world.js';

const DOT = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const PDF = Buffer.from('%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n');
/** The first page of an Ogg with Opus: by this a voice note is known, not by its name. */
const VOICE = Buffer.concat([
  Buffer.from('OggS\0\x02'),
  Buffer.alloc(20),
  Buffer.from([1, 19]),
  Buffer.from('OpusHead\x01\x01'),
  Buffer.from([0x38, 0x01, 0x80, 0xbb, 0, 0, 0, 0, 0]),
]);
const digest = (content) => createHash('sha256').update(content).digest();

/** The newest message on the screen. */
const newest = (page) => page.getByRole('region', { name: 'Sent from here' }).getByRole('listitem').first();

async function readByThem(page) {
  const steps = newest(page).getByRole('list', { name: 'Steps' }).getByRole('listitem');
  await expect(steps).toHaveCount(4);
  await expect(steps.last()).toHaveAttribute('aria-current', 'step', { timeout: 20_000 });
  await expect(steps.filter({ hasText: '(done)' })).toHaveCount(4);
}

const arrived = async (who, fits) => {
  const found = async () => (await who.messages()).filter((message) => !message.from_me && fits(message));
  await expect.poll(async () => (await found()).length).toBe(1);
  return (await found())[0];
};

test('text, a picture by its address, a PDF and a voice note arrive and are seen to be read', async ({ page }) => {
  test.setTimeout(120_000);
  const [token, anna, ben] = [unique('send'), await person('Anna'), await person('Ben', 'read')];
  await linked(token, anna);
  const files = await receiver(gives(DOT, 'image/png'));
  await signIn(page, `/devices/${token}/send`);
  await page.getByLabel('Country').selectOption('ID');
  await page.getByLabel('Recipient').fill(`0${ben.phone.slice(2)}`);
  await expect(page.getByText(`+${ben.phone}`)).toBeVisible();
  const send = page.getByRole('button', { name: 'Send', exact: true });

  await page.getByLabel('Message', { exact: true }).fill('good morning');
  await send.click();
  await expect(newest(page).getByRole('listitem').first()).toContainText('Queued');
  await readByThem(page);
  await arrived(ben, (message) => message.text === 'good morning');
  // Ready for the next one, to the same person.
  await expect(page.getByLabel('Message', { exact: true })).toHaveValue('');
  await expect(page.getByLabel('Recipient')).toHaveValue(`0${ben.phone.slice(2)}`);

  await page.getByLabel('Message', { exact: true }).fill('a dot');
  await page.getByLabel('or by its address').fill(files.url);
  await send.click();
  await readByThem(page);
  const picture = await arrived(ben, (message) => message.text === 'a dot');
  expect(picture.kind).toBe('image');

  for (const [name, mimeType, kind, content] of [
    ['price list.pdf', 'application/pdf', 'document', PDF],
    ['hello.ogg', 'audio/ogg', 'audio', VOICE],
  ]) {
    await page.getByLabel('Choose a file').setInputFiles({ name, mimeType, buffer: content });
    await expect(page.getByText(name)).toBeVisible();
    await send.click();
    await readByThem(page);
    const file = await arrived(ben, (message) => message.kind === kind);
    expect(file.media.size).toBe(content.length);
    expect([digest(content).toString('hex'), digest(content).toString('base64')]).toContain(file.media.sha256);
    if (kind === 'document') expect(file.media.file_name).toBe(name);
  }
  await files.end();
  await forget(token);
});

test('clicking twice sends once', async ({ page }) => {
  const [token, anna, ben] = [unique('twice'), await person('Anna'), await person('Ben')];
  await linked(token, anna);
  await signIn(page, `/devices/${token}/send`);
  const keys = [];
  page.on('request', (request) => {
    if (request.method() === 'POST' && request.url().endsWith('/messages')) keys.push(request.headers()['idempotency-key']);
  });
  await page.getByLabel('Recipient').fill(`+${ben.phone}`);
  await page.getByLabel('Message', { exact: true }).fill('once');
  await page.getByRole('button', { name: 'Send', exact: true }).dblclick();
  await expect(newest(page).locator('li[aria-current=step]')).toContainText('Delivered');
  await page.getByLabel('Message', { exact: true }).fill('after it');
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await arrived(ben, (message) => message.text === 'after it');
  await arrived(ben, (message) => message.text === 'once');
  expect(new Set(keys).size).toBe(2);
  await forget(token);
});

test('a message that cannot go says why, and goes when tried again', async ({ page }) => {
  const [token, anna, ben] = [unique('fail'), await person('Anna'), await person('Ben', 'read')];
  await linked(token, anna);
  await signIn(page, `/devices/${token}/send`);
  const send = page.getByRole('button', { name: 'Send', exact: true });
  await page.getByLabel('Recipient').fill('+62 899 9999 9999');
  await page.getByLabel('Message', { exact: true }).fill('is anybody there');
  await send.click();
  const refused = newest(page).getByRole('alert');
  await expect(refused).toContainText('This number has no WhatsApp account; nothing was sent.');
  await expect(refused.getByRole('button', { name: 'Try again' })).toBeEnabled();

  // The same key: had the first attempt gone out after all, this one would not go again.
  const keys = [];
  page.on('request', (request) => {
    if (request.method() === 'POST' && request.url().endsWith('/messages')) keys.push(request.headers()['idempotency-key']);
  });
  await page.route('**/messages', (route) => route.abort(), { times: 1 });
  await page.getByLabel('Recipient').fill(`+${ben.phone}`);
  await send.click();
  await newest(page).getByRole('alert').getByRole('button', { name: 'Try again' }).click();
  await readByThem(page);
  expect(keys).toHaveLength(2);
  expect(new Set(keys).size).toBe(1);
  await expect(page.getByText(/curl -X POST/).first()).toContainText('"text": "is anybody there"');
  await forget(token);
});
