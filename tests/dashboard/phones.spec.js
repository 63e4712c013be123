// The simulated phones: only beside a simulated WhatsApp, such as the sandbox.
import { createDevice, deleteDevice, expect, signIn, test, unique } from './dashboard.js';
import { KEY } from './places.js';

const number = () => `62899${String(Date.now()).slice(-6)}${Math.floor(Math.random() * 900 + 100)}`;

async function createPhone(page, name) {
  const phone = number();
  await page.goto('/phones');
  await page.getByRole('button', { name: 'New phone' }).click();
  const dialog = page.getByRole('dialog', { name: 'New phone' });
  await dialog.getByLabel('Number').fill(`+${phone}`);
  await dialog.getByLabel('Name').fill(name);
  await dialog.getByRole('button', { name: 'Make phone' }).click();
  const handset = page.getByRole('article', { name });
  await expect(handset).toBeVisible();
  return { phone, handset };
}

async function show(page, names) {
  for (const name of names) {
    const chip = page.getByRole('group', { name: 'Phones shown' }).getByRole('button', { name, exact: true });
    if ((await chip.getAttribute('aria-pressed')) !== 'true') await chip.click();
  }
}

async function scan(page, handset, token) {
  await handset.getByRole('button', { name: 'Linked devices' }).click();
  await handset.getByLabel('Waiting device').selectOption(token);
  await handset.getByRole('button', { name: 'Scan the code' }).click();
  await expect(page.getByText(new RegExp(`has linked ${token}`))).toBeVisible({ timeout: 15_000 });
}

test('every screen says that nobody is real', async ({ page }) => {
  await page.goto('/');
  await expect(page.getByRole('note')).toContainText('WhatsApp is simulated here');
  await signIn(page);
  for (const path of ['/devices', '/webhooks', '/events', '/health', '/docs', '/phones']) {
    await page.goto(path);
    await expect(page.getByRole('note')).toContainText('WhatsApp is simulated here');
  }
});

test('a phone scans, is written to, and answers', async ({ page, request }) => {
  test.setTimeout(90_000);
  const token = unique('scan');
  const name = unique('Anna');
  await signIn(page);
  await createDevice(page, token);
  await expect(page.getByRole('img', { name: 'Code to scan with WhatsApp' })).toBeVisible();
  const { handset } = await createPhone(page, name);
  await scan(page, handset, token);
  // The list beside the phones follows by itself, and so does the phone.
  await expect(page.getByRole('link', { name: token }).getByText('Connected')).toBeVisible();
  await expect(handset.getByRole('button', { name: 'Unlink' })).toBeVisible();

  const friend = unique('Ben');
  const { phone: friendNumber, handset: friendSet } = await createPhone(page, friend);
  await show(page, [name, friend]);
  await page.goto(`/devices/${token}/send`);
  await page.getByLabel('Recipient').fill(`+${friendNumber}`);
  await page.getByLabel('Message', { exact: true }).fill('<b>Hello</b> Ben');
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await expect(page.getByText(/Delivered/).first()).toBeVisible({ timeout: 15_000 });
  await page.goto('/phones');
  await show(page, [friend]);
  await friendSet.getByRole('button', { name: 'Chats' }).click();
  await expect(friendSet.locator('[data-message=in]').getByText('<b>Hello</b> Ben')).toBeVisible();
  const types = (state) =>
    request.put(`/v1/devices/${token}/chats/${friendNumber}@s.whatsapp.net/typing`, { headers: { apikey: KEY }, data: { state } });
  expect((await types('composing')).status()).toBe(204);
  await expect(friendSet.getByText(`${name} is typing…`)).toBeVisible();
  expect((await types('paused')).status()).toBe(204);
  await expect(friendSet.getByText(`${name} is typing…`)).toHaveCount(0);
  const told = page.waitForRequest((asked) => asked.url().endsWith(`/sandbox/phones/${friendNumber}/typing`));
  await friendSet.getByLabel('Message', { exact: true }).fill('Hello yourself');
  expect((await told).postDataJSON()).toMatchObject({ state: 'composing' });
  await friendSet.getByRole('button', { name: 'Send' }).click();
  await expect(friendSet.locator('[data-message=out]').getByText('Hello yourself')).toBeVisible();
  await page.goto(`/events?search=Hello%20yourself`);
  await expect(page.getByText('Hello yourself').first()).toBeVisible();

  await page.goto('/phones');
  await show(page, [friend]);
  await friendSet.getByRole('button', { name: 'Chats' }).click();
  await friendSet.getByRole('button', { name: 'Call', exact: true }).click();
  await friendSet.getByRole('button', { name: 'Calls' }).click();
  await expect(friendSet.getByText('Ringing')).toBeVisible();
  await friendSet.getByRole('button', { name: 'Hang up' }).click();
  await expect(friendSet.getByText('Ended')).toBeVisible();
  await friendSet.getByRole('button', { name: 'Go offline' }).click();
  await expect(friendSet.getByText('Offline')).toBeVisible();
  await friendSet.getByRole('button', { name: 'Come online' }).click();
  await expect(friendSet.getByText('Online')).toBeVisible();
  await deleteDevice(page, token);
});

test('a pairing code is typed on a phone', async ({ page }) => {
  const token = unique('code');
  const name = unique('Cleo');
  await signIn(page);
  const { phone, handset } = await createPhone(page, name);
  await createDevice(page, token);
  await page.getByLabel('Number of the phone').fill(`+${phone}`);
  await page.getByRole('button', { name: 'Get a code' }).click();
  const code = await page.getByText(/^[A-Z0-9]{4}-[A-Z0-9]{4}$/).innerText();
  await page.goto('/phones');
  await show(page, [name]);
  await handset.getByRole('button', { name: 'Linked devices' }).click();
  await handset.getByLabel('Pairing code').fill(code.toLowerCase());
  await handset.getByRole('button', { name: 'Enter code' }).click();
  await expect(page.getByText('Linked', { exact: true })).toBeVisible({ timeout: 15_000 });
  await expect(page.getByRole('link', { name: token }).getByText('Connected')).toBeVisible();
  await deleteDevice(page, token);
});

test('what a phone cannot do is said in words', async ({ page }) => {
  await signIn(page);
  await page.goto('/phones');
  await page.getByRole('button', { name: 'New phone' }).click();
  const dialog = page.getByRole('dialog', { name: 'New phone' });
  await dialog.getByLabel('Number').fill('12');
  await dialog.getByLabel('Name').fill('Nobody');
  await dialog.getByRole('button', { name: 'Make phone' }).click();
  await expect(dialog.getByRole('alert')).toHaveText('This is not a phone number with its country code.');
});

test('nobody moves the phones who is not signed in, and no other page does', async ({ page, request, baseURL }) => {
  expect((await request.get('/sandbox/phones')).status()).toBe(401);
  await signIn(page);
  const cookies = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
  const foreign = await fetch(`${baseURL}/sandbox/phones`, {
    method: 'POST',
    headers: { cookie: cookies, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
    body: '{"phone":"628990000000","name":"x"}',
  });
  expect(foreign.status).toBe(403);
});
