import { createDevice, deleteDevice, expect, signIn, test, unique } from './dashboard.js';

test('a new device gets a code to scan, and is deleted by typing its name', async ({ page }) => {
  const token = unique('ui');
  await signIn(page);
  await createDevice(page, token);
  const code = page.getByRole('img', { name: 'Code to scan with WhatsApp' });
  await expect(code).toBeVisible();
  await expect(page.getByText('OR PAIR WITH PHONE')).toBeVisible();
  // Black on white with a quiet zone, also in the dark.
  await page.emulateMedia({ colorScheme: 'dark' });
  await expect(code.locator('..')).toHaveCSS('background-color', 'rgb(255, 255, 255)');
  await deleteDevice(page, token);
});

test('a number is shown as it will be sent before a pairing code is asked for', async ({ page }) => {
  const token = unique('pair');
  await signIn(page);
  await createDevice(page, token);
  const number = page.getByLabel('Number of the phone');
  for (const [country, typed, sent] of [
    ['ID', '0812-3456-7890', '+6281234567890'],
    ['BR', '(11) 91234-5678', '+5511912345678'],
    ['IN', '098765 43210', '+919876543210'],
  ]) {
    await page.getByLabel('Country').selectOption(country);
    await number.fill(typed);
    await expect(page.getByText(sent)).toBeVisible();
  }
  await page.getByRole('button', { name: 'Get a code' }).click();
  await expect(page.getByText(/^[A-Z0-9]{4}-[A-Z0-9]{4}$/)).toBeVisible();
  await deleteDevice(page, token);
});

test('search and filters are in the address and come back with it', async ({ page }) => {
  const token = unique('find');
  await signIn(page);
  await createDevice(page, token);
  await page.goto('/devices');
  await page.getByRole('searchbox').fill(token);
  await expect(page).toHaveURL(new RegExp(`search=${token}`));
  await expect(page.getByText('1 device', { exact: true })).toBeVisible();
  await page.getByLabel('State', { exact: true }).selectOption('Connected');
  await expect(page.getByText('No device matches')).toBeVisible();
  await page.reload();
  await expect(page.getByRole('searchbox')).toHaveValue(token);
  await expect(page.getByText('No device matches')).toBeVisible();
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await expect(page).toHaveURL(/\/devices$/);
  await deleteDevice(page, token);
});

test('a taken token is said where it was typed', async ({ page }) => {
  const token = unique('twice');
  await signIn(page);
  await createDevice(page, token);
  await page.goto('/devices');
  await page.getByRole('button', { name: 'New device' }).click();
  await page.getByLabel('Token Name').fill(token);
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await expect(page.getByRole('alert')).toHaveText('There is a device with this token already.');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'New device' })).toBeFocused();
  await deleteDevice(page, token);
});

test('clicking twice sends once', async ({ page }) => {
  const token = unique('send');
  await signIn(page);
  await createDevice(page, token);
  const keys = [];
  page.on('request', (request) => {
    if (request.method() === 'POST' && request.url().endsWith('/messages')) keys.push(request.headers()['idempotency-key']);
  });
  await page.getByRole('link', { name: 'Send Message' }).click();
  await page.getByLabel('Country').selectOption('ID');
  await page.getByLabel('Recipient').fill('081234567890');
  await page.getByLabel('Message', { exact: true }).fill('once');
  await page.getByRole('button', { name: 'Send', exact: true }).dblclick();
  // The device is not linked, so it fails, in words and with a way on that keeps the key.
  await page.getByRole('alert').getByRole('button', { name: 'Try again' }).click();
  await expect.poll(() => keys.length).toBe(2);
  expect(new Set(keys).size).toBe(1);
  await expect(page.getByText(/curl -X POST/)).toContainText('"text": "once"');
  await deleteDevice(page, token);
});
