// Texts of one screen, which come with it: only what every screen needs is in the first load.
import { fill, i18n, type Language } from './index.svelte';

type Load<T> = Record<Exclude<Language, 'en'>, () => Promise<{ default: T }>>;

/** Gives what looks up a text of the section. Waits for the reader's language, and follows it. */
export async function section<K extends string>(en: Record<K, string>, load: Load<Record<K, string>>) {
  let texts = $state.raw(en);

  async function follow(next: Language): Promise<void> {
    const found = next === 'en' ? en : (await load[next]()).default;
    if (next === i18n.language) texts = found;
  }

  // In English, when the others cannot be had.
  const attempt = (language: Language) => follow(language).catch(() => undefined);
  await attempt(i18n.language);
  $effect.root(() => {
    $effect(() => void attempt(i18n.language));
  });
  return {
    t: (key: K, values: Record<string, string | number> = {}): string => fill(texts[key] ?? en[key], values),
    /** The text for a name that the server chose, if there is one. */
    named: (group: string, name: string): string | undefined => texts[`${group}.${name}` as K],
  };
}
