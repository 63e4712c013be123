import { expect, signIn, test, unique } from './dashboard.js';
import { ownGateway } from './gateway.js';
import { linked, person } from './world.js';

test('a restart keeps what was typed, and the events go on without a gap or a double', async ({ page, context }) => {
  test.setTimeout(120_000);
  const gateway = await ownGateway();
  try {
    const [token, anna, ben] = [unique('restart'), await person('Anna'), await person('Ben')];
    await linked(token, anna, gateway.api);
    await signIn(page, `${gateway.base}/events?type=message.received`, gateway.key);
    const typing = await context.newPage();
    await typing.goto(`${gateway.base}/devices/${token}/send`);
    await typing.getByLabel('Message', { exact: true }).fill('half a sente');
    await typing.getByLabel('Message', { exact: true }).press('End');

    const seen = (text) => page.getByRole('list', { name: 'Events' }).getByText(text, { exact: true });
    await ben.writes(anna, 'before');
    await expect(seen('before')).toBeVisible();
    // Killed: nobody said goodbye. Ben's message waits at WhatsApp, one comes right after the start.
    await gateway.stop('SIGKILL');
    const dot = (one, text) => one.getByRole('complementary').getByRole('status').filter({ hasText: text });
    for (const one of [page, typing]) await expect(dot(one, /Reconnecting…|Offline/)).toBeVisible();
    await ben.writes(anna, 'meanwhile');
    await typing.getByLabel('Message', { exact: true }).pressSequentially('nce');
    await gateway.start();
    await ben.writes(anna, 'after');
    for (const one of [page, typing]) {
      await expect(dot(one, 'Live')).toBeVisible({ timeout: 30_000 });
    }
    for (const text of ['before', 'meanwhile', 'after']) await expect(seen(text)).toHaveCount(1, { timeout: 30_000 });
    await expect(typing.getByLabel('Message', { exact: true })).toHaveValue('half a sentence');
    // The log says the same, in the same order.
    const { data } = await gateway.api.get('/v1/events?type=message.received');
    expect(data.map((event) => event.data.text)).toEqual(['before', 'meanwhile', 'after']);
  } finally {
    await gateway.end();
  }
});

test('events wait while the tail is paused, and each comes once', async ({ page }) => {
  const gateway = await ownGateway();
  try {
    const [token, anna, ben] = [unique('tail'), await person('Anna'), await person('Ben')];
    await linked(token, anna, gateway.api);
    await signIn(page, `${gateway.base}/events?type=message.*`, gateway.key);
    const seen = (text) => page.getByRole('list', { name: 'Events' }).getByText(text, { exact: true });
    await ben.writes(anna, 'one');
    await expect(seen('one')).toBeVisible();
    await page.getByRole('button', { name: 'Pause' }).click();
    await ben.writes(anna, 'two');
    await expect(page.getByRole('button', { name: /^Resume/ })).toContainText('1');
    await expect(seen('two')).toHaveCount(0);
    await page.getByRole('button', { name: /^Resume/ }).click();
    await expect(seen('two')).toHaveCount(1);
    await page.reload();
    for (const text of ['one', 'two']) await expect(seen(text)).toHaveCount(1);
    await page.getByRole('searchbox').fill('two');
    await expect(seen('one')).toHaveCount(0);
    await seen('two').click();
    await expect(page.getByText(`"${token}"`)).toBeVisible();
  } finally {
    await gateway.end();
  }
});
