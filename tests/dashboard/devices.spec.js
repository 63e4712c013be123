import { createDevice, deleteDevice, expect, signIn, test, unique } from './dashboard.js';
import { api, forget } from './world.js';

const LONGEST_PAGE_MS = 300;

test('a new device is deleted by typing its name', async ({ page }) => {
  const token = unique('ui');
  await signIn(page);
  await createDevice(page, token);
  await deleteDevice(page, token);
  await page.goto(`/devices/${token}`);
  await expect(page.getByText('There is no such device')).toBeVisible();
});

test('search and filters change the rows and the address, and come back with it', async ({ page }) => {
  const token = unique('find');
  const tokens = [`${token}-a`, `${token}-b`];
  await api.post('/v1/devices', { token: tokens[0], workspace: `${token}-north` });
  await api.post('/v1/devices', { token: tokens[1], workspace: `${token}-south` });
  await signIn(page, '/health');
  await page.getByRole('link', { name: 'Devices', exact: true }).first().click();
  await page.getByRole('searchbox').fill(token);
  await expect(page).toHaveURL(new RegExp(`search=${token}`));
  await expect(page.getByText('2 devices', { exact: true })).toBeVisible();
  await page.getByLabel('Workspace', { exact: true }).selectOption(`${token}-north`);
  await expect(page.getByText('1 device', { exact: true })).toBeVisible();
  await expect(page.getByRole('row', { name: new RegExp(tokens[0]) })).toBeVisible();
  await page.getByLabel('State', { exact: true }).selectOption('Connected');
  await expect(page.getByText('No device matches')).toBeVisible();
  await page.getByLabel('State', { exact: true }).selectOption('Stopped');
  await expect(page.getByText('1 device', { exact: true })).toBeVisible();

  const kept = async () => {
    await expect(page.getByRole('searchbox')).toHaveValue(token);
    await expect(page.getByLabel('Workspace', { exact: true })).toHaveValue(`${token}-north`);
    await expect(page.getByLabel('State', { exact: true })).toHaveValue('stopped');
    await expect(page.getByText('1 device', { exact: true })).toBeVisible();
  };
  await page.reload();
  await kept();
  await page.getByRole('link', { name: tokens[0] }).click();
  await expect(page.getByRole('heading', { name: 'Connection Manager' })).toBeVisible();
  await page.goBack();
  await kept();
  await page.getByRole('searchbox').fill(`${token}-nothing`);
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await expect(page).toHaveURL(/\/devices$/);
  await page.goBack();
  await expect(page.getByRole('heading', { name: 'Health', level: 1 })).toBeVisible();
  await forget(...tokens);
});

test('a long list comes page by page, forwards and back', async ({ page }) => {
  const token = unique('many');
  const tokens = Array.from({ length: 120 }, (_, number) => `${token}-${String(number).padStart(3, '0')}`);
  for (const one of tokens) await api.post('/v1/devices', { token: one });
  await signIn(page, `/devices?search=${token}`);
  await expect(page.getByText('120 devices', { exact: true })).toBeVisible();
  const rows = page.getByRole('row').filter({ hasText: token });
  await expect(rows).toHaveCount(50);
  const seen = new Set(await page.getByRole('link', { name: new RegExp(token) }).allInnerTexts());
  for (const count of [50, 20]) {
    const asked = page.waitForResponse(/\/v1\/devices\?/);
    await page.getByRole('button', { name: 'Next' }).click();
    const { responseStart, requestStart } = (await asked).request().timing();
    expect(responseStart - requestStart).toBeLessThan(LONGEST_PAGE_MS);
    await expect(rows).toHaveCount(count);
    for (const text of await page.getByRole('link', { name: new RegExp(token) }).allInnerTexts()) seen.add(text);
  }
  expect(seen.size).toBe(120);
  await page.goBack();
  await expect(rows).toHaveCount(50);
  await page.reload();
  await expect(rows).toHaveCount(50);
  await page.getByRole('checkbox', { name: 'Select all on this page' }).check();
  await expect(page.getByRole('toolbar')).toContainText('50 selected');
  await forget(...tokens);
});

test('a taken token is said where it was typed', async ({ page }) => {
  const token = unique('twice');
  await api.post('/v1/devices', { token });
  await signIn(page);
  await page.goto('/devices');
  await page.getByRole('button', { name: 'New device', exact: true }).click();
  await page.getByLabel('Token Name').fill(token);
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await expect(page.getByRole('alert')).toHaveText('There is a device with this token already.');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'New device', exact: true })).toBeFocused();
  await forget(token);
});
