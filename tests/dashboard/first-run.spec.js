import { readFileSync } from 'node:fs';

import { expect, outside, signIn, test } from './dashboard.js';
import { ownGateway } from './gateway.js';

const PASSWORD = 'correct horse battery';
const described = JSON.parse(readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8'));

test('a fresh gateway asks for its code, takes no other, and never asks again', async ({ page, context }) => {
  const gateway = await ownGateway();
  try {
    expect(gateway.setupCode).toBeTruthy();
    await page.goto(`${gateway.base}/`);
    await expect(page.getByRole('heading', { name: 'First run' })).toBeVisible();
    // The language that is chosen here stays.
    await page.getByLabel('Language').selectOption('Bahasa Indonesia');
    await expect(page.locator('html')).toHaveAttribute('lang', 'id');
    await page.getByLabel('Bahasa').selectOption('English');
    const make = async (code) => {
      await page.getByLabel('Setup code').fill(code);
      await page.getByLabel('Name', { exact: true }).fill('admin');
      await page.getByLabel('Password').fill(PASSWORD);
      await page.getByRole('button', { name: 'Create account' }).click();
    };
    await make('AAAA-BBBB-CCCC');
    await expect(page.getByRole('alert')).toHaveText('This is not the setup code. Look for the newest one in the log.');
    await expect(page.getByLabel('Setup code')).toHaveValue('AAAA-BBBB-CCCC');
    await make(gateway.setupCode);
    await expect(page.getByRole('heading', { name: 'Devices', level: 1 })).toBeVisible();

    await page.locator('aside').getByRole('button').click();
    await page.getByRole('dialog').getByLabel('Language').selectOption('Español');
    await page.getByRole('button', { name: 'Cerrar sesión' }).click();
    await expect(page.getByRole('heading', { name: 'Iniciar sesión' })).toBeVisible();
    await page.getByLabel('Nombre').fill('admin');
    await page.getByLabel('Contraseña').fill(PASSWORD);
    await page.getByRole('button', { name: 'Iniciar sesión' }).click();
    await expect(page.getByRole('heading', { name: 'Dispositivos', level: 1 })).toBeVisible();
    await expect(page.locator('html')).toHaveAttribute('lang', 'es');

    const again = await context.request.post(`${gateway.base}/v1/setup`, {
      data: { code: gateway.setupCode, name: 'intruder', password: PASSWORD },
      headers: { origin: gateway.base },
    });
    expect(again.status()).toBe(409);
    await gateway.stop();
    await gateway.start();
    await context.clearCookies();
    await page.goto(`${gateway.base}/`);
    await expect(page.getByRole('heading', { name: 'Iniciar sesión' })).toBeVisible();
  } finally {
    await gateway.end();
  }
});

test('a cookie that somebody made up opens nothing', async ({ page, context, baseURL }) => {
  await signIn(page);
  const names = (await context.cookies()).filter((cookie) => cookie.httpOnly).map((cookie) => cookie.name);
  expect(names.length).toBeGreaterThan(0);
  await context.clearCookies();
  await context.addCookies(['auth_session', ...names].map((name) => ({ name, value: 'admin', url: baseURL })));
  /** Everything but the probes and the question who is signed in needs to know who asks. */
  const paths = Object.entries(described.paths)
    .filter(([, { get }]) => get && !get.security?.some((way) => Object.keys(way).length === 0))
    .map(([path]) => path.replaceAll(/\{\w+\}/g, 'x'));
  expect(paths.length).toBeGreaterThan(15);
  for (const path of paths) {
    const answer = await context.request.get(path, { timeout: 5_000 });
    expect(answer.status(), path).toBe(401);
  }
  expect((await (await context.request.get('/v1/sign-in')).json()).account).toBeNull();
  await page.goto('/devices');
  await outside(page);
});
