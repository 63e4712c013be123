import { expect, signIn, test, unique } from './dashboard.js';
import { answers, hangs, receiver } from './receiver.js';
import { api, forget, linked, person } from './world.js';

const SLOW_MS = 1_500;
const slowly = (response) => void setTimeout(() => response.writeHead(200).end('late'), SLOW_MS);
const cutsOff = (response) => void response.socket.destroy();

/** An endpoint through the API. It ends with the story. */
const endpoint = (url, more = {}) => api.post('/v1/webhooks', { url, ...more });

const deliveries = (page) => page.getByRole('region', { name: 'Deliveries' });
const row = (page, type) => deliveries(page).getByRole('button', { name: new RegExp(type) });

test('an endpoint is made, shows its secret once, pauses, goes on, and is deleted', async ({ page, context, baseURL }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: baseURL });
  const url = `https://example.com/${unique('hook')}`;
  await signIn(page);
  await page.goto('/webhooks');
  await page.getByRole('button', { name: 'New endpoint' }).first().click();
  const form = page.getByRole('dialog', { name: 'New endpoint' });
  await form.getByLabel('Address').fill(url);
  await form.getByLabel('All events').uncheck();
  await expect(form.getByRole('button', { name: 'New endpoint' })).toBeDisabled();
  await form.getByLabel('message.*').getByRole('checkbox').first().check();
  await form.getByRole('button', { name: 'New endpoint' }).click();
  const secret = page.getByText(/^whsec_/);
  await expect(secret).toBeVisible();
  const first = await secret.innerText();
  await page.getByRole('button', { name: 'Copy: Signing secret' }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(first);
  await page.getByRole('button', { name: 'I have kept it' }).click();
  await expect(page.getByText(url)).toBeVisible();
  await expect(page.getByText('message.*')).toBeVisible();
  await expect(secret).toHaveCount(0);
  await page.reload();
  await expect(page.getByText(url)).toBeVisible();
  expect(await page.content()).not.toContain(first);

  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(page.getByText('Paused', { exact: true })).toBeVisible();
  await page.getByRole('button', { name: 'Resume' }).click();
  await expect(page.getByText('Active', { exact: true })).toBeVisible();
  await page.getByRole('button', { name: 'Rotate secret' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Rotate secret' }).click();
  await expect(secret).toBeVisible();
  await expect(secret).not.toHaveText(first);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(page).toHaveURL(/\/webhooks$/);
  await expect(page.getByText(url)).toHaveCount(0);
});

test('a test tells what each kind of receiver did', async ({ page }) => {
  const target = await receiver(answers(200, 'thank you'));
  const { id } = await endpoint(target.url);
  await signIn(page, `/webhooks/${id}`);
  const result = page.getByRole('dialog', { name: 'Result of the test' });
  for (const [act, status, said] of [
    [answers(200, 'thank you'), '200', 'thank you'],
    [answers(500, 'out of order'), '500', 'out of order'],
    [slowly, '200', 'late'],
    [cutsOff, 'No answer', null],
  ]) {
    target.act = act;
    await page.getByRole('button', { name: 'Send test' }).click();
    await expect(result.getByText(status, { exact: true })).toBeVisible();
    const took = await result.getByText(/^[\d,]+ ms$/).innerText();
    if (act === slowly) expect(Number(took.replace(/\D/g, ''))).toBeGreaterThanOrEqual(SLOW_MS - 100);
    await expect(result.getByLabel('Request')).toContainText('webhook-signature');
    if (said) await expect(result.getByLabel('Response')).toContainText(said);
    await page.keyboard.press('Escape');
    await expect(result).toHaveCount(0);
  }
  await target.end();
  await page.getByRole('button', { name: 'Send test' }).click();
  await expect(result.getByText('No answer')).toBeVisible();
  await api.delete(`/v1/webhooks/${id}`);
});

test('attempts are listed with what was said, a resend adds one, and success turns the event green', async ({ page }) => {
  const [token, anna, ben] = [unique('hook'), await person('Anna'), await person('Ben')];
  await linked(token, anna);
  const target = await receiver(answers(500, 'out of order'));
  const { id } = await endpoint(target.url, { device: token, events: ['message.received'] });
  await signIn(page, `/webhooks/${id}`);
  await ben.writes(anna, 'please note');
  const event = row(page, 'message.received');
  await expect(event).toContainText('Pending');
  await expect(event).toContainText('next attempt');
  await event.click();
  const dialog = page.getByRole('dialog', { name: 'Delivery of message.received' });
  const attempts = dialog.getByRole('listitem');
  await expect(attempts.first()).toContainText('500');
  await expect(attempts.first().getByText(/^[\d,]+ ms$/)).toBeVisible();
  await expect(attempts.first().getByLabel('Request')).toContainText('webhook-id');
  await expect(attempts.first().getByLabel('Response')).toContainText('out of order');
  await expect(dialog).toContainText('next attempt');

  const before = await attempts.count();
  await dialog.getByRole('button', { name: 'Resend' }).click();
  await expect.poll(() => attempts.count()).toBeGreaterThan(before);
  target.act = answers(200, 'got it');
  await dialog.getByRole('button', { name: 'Resend' }).click();
  await expect(dialog.getByText('Delivered', { exact: true })).toBeVisible();
  await expect(attempts.first()).toContainText('200');
  await expect(attempts.first().getByLabel('Response')).toContainText('got it');
  await dialog.getByText(/^▸ Body sent/).click();
  await expect(dialog.getByLabel(/^Body sent/)).toContainText('please note');
  await page.keyboard.press('Escape');
  await expect(event).toContainText('Delivered');
  // Every attempt, the resent ones too, had the id that the receiver knows the event by.
  expect(new Set(target.got.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  await target.end();
  await api.delete(`/v1/webhooks/${id}`);
  await forget(token);
});

test('a replay sends what was given up in that time, and nothing else', async ({ page }) => {
  const [token, anna, ben] = [unique('again'), await person('Anna'), await person('Ben')];
  await linked(token, anna);
  const target = await receiver(answers(200));
  const { id } = await endpoint(target.url, { device: token, events: ['message.received'] });
  await ben.writes(anna, 'arrives');
  await expect.poll(() => target.got.length).toBe(1);
  // Gone for good, as the receiver says it: what was not delivered by then is given up.
  target.act = answers(410, 'gone');
  for (const text of ['lost 1', 'lost 2', 'lost 3']) await ben.writes(anna, text);
  await signIn(page, `/webhooks/${id}`);
  await expect(page.getByText(/^Switched off at/)).toBeVisible({ timeout: 20_000 });
  await expect(page.getByText('Switched off', { exact: true }).or(page.getByText('Disabled', { exact: true })).first()).toBeVisible();
  target.act = answers(200);
  const came = target.got.length;
  await page.getByRole('button', { name: 'Resume' }).click();
  await expect(page.getByText('Active', { exact: true })).toBeVisible();
  await page.getByRole('button', { name: 'Replay since…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Replay deliveries' });
  await dialog.getByLabel('Since').selectOption('1 hour ago');
  await dialog.getByRole('button', { name: 'Replay', exact: true }).click();
  await expect(page.getByText(/^\d+ deliver(y is|ies are) on (its|their) way again$/)).toBeVisible();
  // The dialog follows it, and after a reload the endpoint's screen does.
  const progress = dialog.getByRole('progressbar', { name: 'Replay' });
  const total = await progress.getAttribute('aria-valuemax');
  expect(Number(total)).toBeGreaterThan(0);
  await expect(progress).toHaveAttribute('aria-valuenow', total, { timeout: 20_000 });
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  await page.reload();
  const replay = page.getByRole('region', { name: 'Replay' });
  await expect(replay.getByText(`${total} of ${total}`)).toBeVisible();
  await expect(replay.getByText('Done', { exact: true })).toBeVisible();
  const texts = () => target.got.slice(came).map(({ body }) => JSON.parse(body).data.text).sort();
  await expect.poll(texts, { timeout: 20_000 }).toEqual(['lost 1', 'lost 2', 'lost 3']);
  await expect(deliveries(page).getByRole('listitem').filter({ hasText: 'Delivered' })).toHaveCount(4);
  await target.end();
  await api.delete(`/v1/webhooks/${id}`);
  await forget(token);
});

test('a receiver that never answers is told apart from one that refuses', async ({ page }) => {
  test.setTimeout(90_000);
  const target = await receiver(hangs);
  const { id } = await endpoint(target.url);
  await signIn(page, `/webhooks/${id}`);
  await page.getByRole('button', { name: 'Send test' }).click();
  const result = page.getByRole('dialog', { name: 'Result of the test' });
  await expect(result.getByText('No answer', { exact: true })).toBeVisible({ timeout: 40_000 });
  await expect(result).toContainText(/time|slow|seconds/i);
  await target.end();
  await api.delete(`/v1/webhooks/${id}`);
});
