// What every story begins with.
import { expect, test as base } from '@playwright/test';

import { KEY, unique } from './places.js';

export { expect, unique };

/** Every story also watches that nothing leaves our origin, breaks the policy, or throws. */
export const test = base.extend({
  context: async ({ context }, use) => {
    const wrong = [];
    context.on('page', (page) => watch(page, wrong));
    await use(context);
    expect(wrong).toEqual([]);
  },
});

function watch(page, wrong) {
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (['data:', 'blob:'].includes(protocol)) return;
    const home = page.url() === 'about:blank' ? origin : new URL(page.url()).origin;
    if (origin !== home) wrong.push(`asked ${request.url()}`);
  });
  page.on('console', (message) => {
    if (/Content Security Policy/i.test(message.text())) wrong.push(message.text());
  });
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('dialog', (dialog) => {
    wrong.push(`a dialog says ${dialog.message()}`);
    void dialog.dismiss();
  });
}

export async function signIn(page, path = '/', key = KEY) {
  await page.goto(path);
  await page.getByRole('button', { name: 'Use an API key instead' }).click();
  await page.getByLabel('API key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('navigation', { name: 'Main' }).first()).toBeVisible();
}

/** Nobody is signed in: with an account already, or still to be made. */
export const outside = (page) => expect(page.getByRole('button', { name: 'Use an API key instead' })).toBeVisible();

/** Makes a device through the screens, which ends at its Connection Manager. */
export async function createDevice(page, token) {
  await page.goto('/devices');
  await page.getByRole('button', { name: 'New device', exact: true }).click();
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

/** The code to scan, as a camera sees it. */
export async function photograph(page) {
  const picture = await page.getByRole('img', { name: 'Code to scan with WhatsApp' }).locator('..').screenshot();
  return `data:image/png;base64,${picture.toString('base64')}`;
}

/** The badge beside the device's name. */
export const badge = (page, text) => page.locator('#main').getByText(text, { exact: true }).first();
