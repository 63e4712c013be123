import { readFileSync } from 'node:fs';

import { expect, test, unique } from './dashboard.js';
import { KEY } from './places.js';
import { furnished } from './screens.js';

const catalogue = (tag) =>
  JSON.parse(readFileSync(new URL(`../../crates/dashboard/ui/src/lib/i18n/${tag}.json`, import.meta.url), 'utf8'));
const english = catalogue('en');

/** Every text on the screen, and every name that a screen reader says. */
const texts = (page) =>
  page.evaluate(() => {
    const found = new Set();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) found.add(walker.currentNode.nodeValue.trim());
    for (const element of document.querySelectorAll('[aria-label], [placeholder], [title], [alt]')) {
      for (const name of ['aria-label', 'placeholder', 'title', 'alt']) found.add(element.getAttribute(name)?.trim() ?? '');
    }
    found.delete('');
    return [...found];
  });

for (const [name, tag, title] of [
  ['English', 'en', 'Sign in'],
  ['Bahasa Indonesia', 'id', 'Masuk'],
  ['Português (Brasil)', 'pt-BR', 'Entrar'],
  ['Español', 'es', 'Iniciar sesión'],
]) {
  test(`every screen speaks ${name}, and nothing else`, async ({ page }) => {
    test.setTimeout(120_000);
    const home = await furnished(unique('said'));
    const own = catalogue(tag);
    const said = new Set(Object.values(own));
    /** English texts that this language says otherwise. */
    const foreign = new Set(Object.values(english).filter((text) => !said.has(text)));
    // Types of events are shown as they are, and some texts are called like them.
    const keys = new Set(Object.keys(english).filter((key) => !key.startsWith('message.')));
    const speaks = async (where) => {
      await expect(page.locator('html')).toHaveAttribute('lang', tag);
      // The documentation shows addresses with their parts in braces.
      const unfilled = where.startsWith('/docs') ? /$^/ : /\{[a-z]\w*\}/;
      const wrong = (await texts(page)).filter((text) => foreign.has(text) || keys.has(text) || unfilled.test(text));
      expect(wrong, where).toEqual([]);
    };

    await page.goto('/');
    await page.getByLabel('Language').selectOption(name);
    const withKey = page.getByRole('button', { name: own['sign_in.with_key'] });
    await expect(withKey).toBeVisible();
    await page.reload();
    await expect(withKey).toBeVisible();
    await speaks('the door');
    await withKey.click();
    await expect(page.getByRole('heading', { name: title })).toBeVisible();
    await speaks('sign-in');
    await page.getByLabel(own['sign_in.api_key']).fill(KEY);
    await page.getByRole('button', { name: own['sign_in.action'], exact: true }).click();
    await expect(page.getByRole('navigation', { name: own['nav.label'] }).first()).toBeVisible();
    for (const path of home.paths) {
      await page.goto(path);
      await expect(page.getByRole('heading', { level: 1 }).first()).toBeVisible();
      await expect(page.getByText(own['common.loading'], { exact: true })).toHaveCount(0);
      await speaks(path);
    }
    await page.goto('/webhooks');
    await page.getByRole('button', { name: own['webhooks.create'] }).first().click();
    await expect(page.getByRole('dialog')).toBeVisible();
    await speaks('new endpoint');
    await home.end();
  });
}
