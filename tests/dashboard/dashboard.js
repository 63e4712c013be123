// What every story begins with.
import { expect, test as base } from '@playwright/test';

export { expect };

const KEY = process.env.WAGATE_API_KEY ?? '';

export const unique = (name) => `${name}-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 6)}`;

/** Every story also watches that nothing leaves our origin, breaks the policy, or throws. */
export const test = base.extend({
  page: async ({ page, baseURL }, use) => {
    const wrong = [];
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      if (!['data:', 'blob:'].includes(protocol) && origin !== new URL(baseURL).origin) wrong.push(`asked ${request.url()}`);
    });
    page.on('console', (message) => {
      if (/Content Security Policy/i.test(message.text())) wrong.push(message.text());
    });
    page.on('pageerror', (error) => wrong.push(String(error)));
    page.on('dialog', (dialog) => {
      wrong.push(`a dialog says ${dialog.message()}`);
      void dialog.dismiss();
    });
    await use(page);
    expect(wrong).toEqual([]);
  },
});

export async function signIn(page, path = '/') {
  await page.goto(path);
  await page.getByRole('button', { name: 'Use an API key instead' }).click();
  await page.getByLabel('API key').fill(KEY);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('navigation', { name: 'Main' }).first()).toBeVisible();
}

/** Makes a device through the screens, which ends at its Connection Manager. */
export async function createDevice(page, token) {
  await page.goto('/devices');
  await page.getByRole('button', { name: 'New device' }).click();
  const dialog = page.getByRole('dialog', { name: 'Create New Device Token' });
  await dialog.getByLabel('Token Name').fill(token);
  await dialog.getByRole('button', { name: 'Create' }).click();
  await expect(page.getByRole('heading', { name: 'Connection Manager' })).toBeVisible();
}

export async function deleteDevice(page, token) {
  await page.goto(`/devices/${token}`);
  await page.getByRole('button', { name: 'Delete device' }).click();
  const dialog = page.getByRole('dialog', { name: `Delete ${token}` });
  const confirm = dialog.getByRole('button', { name: 'Delete' });
  await expect(confirm).toBeDisabled();
  await dialog.getByLabel(`Type ${token} to confirm`).fill(token);
  await confirm.click();
  await expect(page).toHaveURL(/\/devices$/);
}
