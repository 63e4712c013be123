import { expect, signIn, test } from './dashboard.js';

test('language and theme have a page, and change it at once', async ({ page }) => {
  await signIn(page);
  await page.goto('/settings');
  const look = page.getByRole('region', { name: 'This browser' });
  await look.getByLabel('Theme').selectOption('Dark');
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await look.getByLabel('Language').selectOption('Español');
  await expect(page.getByRole('heading', { name: 'Ajustes', level: 1 })).toBeVisible();
  await page.reload();
  await expect(page.getByRole('heading', { name: 'Ajustes', level: 1 })).toBeVisible();
  await page.getByLabel('Idioma').selectOption('English');
  await page.getByLabel('Theme').selectOption('As the system');
});

test('the default country and the retention are chosen, kept, and given back to the configuration', async ({ page }) => {
  await signIn(page);
  await page.goto('/settings');
  const gateway = page.getByRole('region', { name: 'Gateway' });
  const country = gateway.getByLabel('Country of numbers with a leading 0');
  const save = gateway.getByRole('button', { name: 'Save' });
  await country.selectOption('Indonesia');
  await gateway.getByRole('radio', { name: 'Another time' }).check();
  await gateway.getByRole('spinbutton', { name: 'days' }).fill('45');
  await save.click();
  await expect(page.getByText('Saved')).toBeVisible();
  await page.reload();
  await expect(country).toHaveValue('ID');
  await expect(gateway.getByRole('spinbutton', { name: 'days' })).toHaveValue('45');
  await country.selectOption({ index: 0 });
  await gateway.getByRole('radio', { name: /As configured/ }).check();
  await save.click();
  await expect(page.getByText('Saved').last()).toBeVisible();
  await page.reload();
  await expect(country).toHaveValue('');
  await expect(gateway.getByRole('radio', { name: /As configured/ })).toBeChecked();
});
