import { expect, signIn, test } from './dashboard.js';

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
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
});

test('a cookie that somebody made up opens nothing', async ({ page, context, baseURL }) => {
  await context.addCookies([
    { name: 'auth_session', value: 'admin', url: baseURL },
    { name: 'wagate_session', value: 'admin', url: baseURL },
  ]);
  await page.goto('/devices');
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
});

for (const [name, tag, title] of [
  ['Bahasa Indonesia', 'id', 'Masuk'],
  ['Português (Brasil)', 'pt-BR', 'Entrar'],
  ['Español', 'es', 'Iniciar sesión'],
]) {
  test(`speaks ${name} before and after a reload`, async ({ page }) => {
    await page.goto('/');
    await page.getByLabel('Language').selectOption(name);
    await expect(page.getByRole('heading', { name: title })).toBeVisible();
    await page.reload();
    await expect(page.getByRole('heading', { name: title })).toBeVisible();
    await expect(page.locator('html')).toHaveAttribute('lang', tag);
  });
}
