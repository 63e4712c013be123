// Every language says everything, with the same values in it, and nothing that nobody shows.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const here = new URL('../src/', import.meta.url);
const read = (path) => readFileSync(new URL(path, here), 'utf8');
const catalogue = (language) => JSON.parse(read(`lib/i18n/${language}.json`));

const english = catalogue('en');
const others = readdirSync(new URL('lib/i18n/', here))
  .filter((file) => file.endsWith('.json') && file !== 'en.json')
  .map((file) => file.replace('.json', ''));
const values = (text) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();

/** Names of states and the like come from the API, so they stand in no source. */
const NAMED_BY_THE_API = /^(advice|delivery|kind|live|message|problem|reason|state|theme|webhook_state)\./;

test('there are four languages', () => assert.deepEqual(others.sort(), ['es', 'id', 'pt-BR']));

for (const language of others) {
  test(`${language} says what English says`, () => {
    const texts = catalogue(language);
    assert.deepEqual(Object.keys(texts), Object.keys(english));
    for (const [key, text] of Object.entries(texts)) {
      assert.notEqual(text.trim(), '', key);
      // In one language the singular may need no number.
      if (!key.endsWith('_one')) assert.deepEqual(values(text), values(english[key]), key);
    }
  });

  test(`${language} is not English`, () => {
    const same = Object.entries(catalogue(language)).filter(([key, text]) => text === english[key] && / .* /.test(text));
    assert.deepEqual(same, []);
  });
}

test('every text is shown somewhere', () => {
  const sources = readdirSync(here, { recursive: true })
    .filter((file) => /\.(svelte|ts)$/.test(file))
    .map(read)
    .join('\n');
  const unused = Object.keys(english).filter((key) => {
    const base = key.replace(/_(one|other)$/, '');
    return !NAMED_BY_THE_API.test(key) && !sources.includes(`'${base}'`);
  });
  assert.deepEqual(unused, []);
});

test('nothing is put into the page as markup', () => {
  for (const file of readdirSync(here, { recursive: true }).filter((file) => /\.(svelte|ts)$/.test(file))) {
    assert.doesNotMatch(read(file), /\{@html|innerHTML|insertAdjacentHTML/, file);
  }
});
