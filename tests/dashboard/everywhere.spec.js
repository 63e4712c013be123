import AxeBuilder from '@axe-core/playwright';

import { createDevice, deleteDevice, expect, signIn, test, unique } from './dashboard.js';

const LARGEST_FIRST_LOAD = 120 * 1024;

test('every screen is accessible in light and dark, and fits 360 pixels', async ({ page }) => {
  test.setTimeout(180_000);
  const token = unique('look');
  await signIn(page);
  await createDevice(page, token);
  const device = `/devices/${token}`;
  for (const path of ['/devices', device, `${device}/chats`, `${device}/send`, `${device}/contacts`, `${device}/groups`, '/webhooks', '/events', '/health']) {
    for (const colorScheme of ['light', 'dark']) {
      for (const width of [1280, 360]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 800 });
        await page.goto(path);
        await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
        await expect(page.getByText(/^(Loading|Checking)…$/)).toHaveCount(0);
        const where = `${path} ${colorScheme} ${width}`;
        expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), where).toBe(true);
        const { violations } = await new AxeBuilder({ page }).analyze();
        const serious = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
        expect(serious.map(({ id, nodes }) => `${where}: ${id} ${nodes.map((node) => node.html).join(' ')}`)).toEqual([]);
      }
    }
  }
  await page.setViewportSize({ width: 1280, height: 800 });
  await deleteDevice(page, token);
});

test('one failing request breaks its own panel alone', async ({ page }) => {
  await signIn(page);
  await page.route('**/v1/devices?**', (route) => route.fulfill({ status: 500, json: { code: 'internal', detail: 'x' } }));
  await page.goto('/devices');
  await expect(page.getByRole('alert')).toContainText('Something went wrong in the gateway.', { timeout: 15_000 });
  await expect(page.getByRole('button', { name: 'New device' })).toBeEnabled();
  await page.unroute('**/v1/devices?**');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('alert')).toHaveCount(0);
});

test('the first load is small', async ({ page }) => {
  await signIn(page);
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.setCacheDisabled', { cacheDisabled: true });
  const assets = new Set();
  let bytes = 0;
  session.on('Network.responseReceived', ({ requestId, response }) => {
    if (response.url.includes('/assets/')) assets.add(requestId);
  });
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    if (assets.has(requestId)) bytes += encodedDataLength;
  });
  await page.goto('/devices');
  await expect(page.getByRole('heading', { name: 'Devices', level: 1 })).toBeVisible();
  await expect(page.getByText(/^(\d+ devices?|No devices yet)$/)).toBeVisible();
  expect(assets.size).toBeGreaterThan(3);
  expect(bytes).toBeLessThan(LARGEST_FIRST_LOAD);
});
