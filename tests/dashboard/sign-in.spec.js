import { expect, outside, signIn, test } from './dashboard.js';

test('a wrong key is refused in words, a right one lets in and out again', async ({ page }) => {
  await page.goto('/webhooks');
  await page.getByRole('button', { name: 'Use an API key instead' }).click();
  await page.getByLabel('API key').fill('wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toHaveText('Wrong name, password or key.');
  await signIn(page, '/webhooks');
  await expect(page.getByRole('heading', { name: 'Webhooks', level: 1 })).toBeVisible();
  await page.locator('aside').getByRole('button').click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await outside(page);
  await page.goto('/devices');
  await outside(page);
});
