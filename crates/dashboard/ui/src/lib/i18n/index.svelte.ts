// Texts, numbers and dates in the reader's language. One JSON catalogue per language; English is in the
// first load and the measure of the others.
import en from './en.json';

export type Key = keyof typeof en;
type Plural = { [K in Key]: K extends `${infer Base}_other` ? Base : never }[Key];
type Values = Record<string, string | number>;

export const LANGUAGES = { en: 'English', id: 'Bahasa Indonesia', 'pt-BR': 'Português (Brasil)', es: 'Español' } as const;
export type Language = keyof typeof LANGUAGES;

const STORED = 'wagate.language';
const load: Record<Exclude<Language, 'en'>, () => Promise<{ default: Record<Key, string> }>> = {
  id: () => import('./id.json'),
  'pt-BR': () => import('./pt-BR.json'),
  es: () => import('./es.json'),
};

let language = $state<Language>('en');
let texts = $state.raw<Record<Key, string>>(en);

export const i18n = {
  get language(): Language {
    return language;
  },
};

function known(tag: string): Language | undefined {
  const all = Object.keys(LANGUAGES) as Language[];
  const wanted = tag.toLowerCase();
  return (
    all.find((one) => one.toLowerCase() === wanted) ??
    all.find((one) => one.split('-')[0] === wanted.split('-')[0])
  );
}

/** The language chosen before, else the first of the browser's that is there. */
export function preferred(): Language {
  const stored = storage(() => localStorage.getItem(STORED));
  for (const tag of [stored ?? '', ...navigator.languages]) {
    const found = tag && known(tag);
    if (found) return found;
  }
  return 'en';
}

export async function setLanguage(next: Language, remember = true): Promise<void> {
  texts = next === 'en' ? en : (await load[next]()).default;
  language = next;
  document.documentElement.lang = next;
  if (remember) storage(() => localStorage.setItem(STORED, next));
}

function storage<T>(use: () => T): T | null {
  try {
    return use();
  } catch {
    return null;
  }
}

export function fill(text: string, values: Values): string {
  return text.replace(/\{(\w+)\}/g, (all, name: string) => {
    const value = values[name];
    return value === undefined ? all : typeof value === 'number' ? number(value) : value;
  });
}

export function t(key: Key, values: Values = {}): string {
  return fill(texts[key] ?? en[key] ?? key, values);
}

/** The form of a text that fits `n`, which it may show as `{n}`. */
export function tn(base: Plural, n: number, values: Values = {}): string {
  const form = `${base}_${new Intl.PluralRules(language).select(n)}`;
  return t(form in en ? (form as Key) : (`${base}_other` as Key), { n, ...values });
}

/** The text for a name that the server chose, if there is one: states, reasons, codes of problems. */
export function named(group: string, name: string): string | undefined {
  const key = `${group}.${name}`;
  return key in en ? t(key as Key) : undefined;
}

export function number(value: number): string {
  return new Intl.NumberFormat(language).format(value);
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

/** A size in the unit that keeps it short. */
export function bytes(size: number): string {
  const step = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(size, 1)) / 3));
  const form = { style: 'unit', unit: UNITS[step], unitDisplay: 'short', maximumFractionDigits: 1 } as const;
  return new Intl.NumberFormat(language, form).format(size / 1000 ** step);
}

export function dateTime(at: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' }).format(new Date(at));
}

export function clock(at: string): string {
  return new Intl.DateTimeFormat(language, { timeStyle: 'medium' }).format(new Date(at));
}

/** Hours and minutes. */
export function timeOfDay(at: string): string {
  return new Intl.DateTimeFormat(language, { timeStyle: 'short' }).format(new Date(at));
}

/** The day; empty for what is no time. */
export function day(at: string): string {
  return at ? new Intl.DateTimeFormat(language, { dateStyle: 'medium' }).format(new Date(at)) : '';
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];

/** "3 minutes ago", "in 5 seconds". */
export function relative(at: string, now: number): string {
  const seconds = Math.round((new Date(at).getTime() - now) / 1000);
  const [unit, size] = STEPS.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1];
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' });
  return format.format(Math.trunc(seconds / size), unit);
}

export function countryName(code: string): string {
  return new Intl.DisplayNames(language, { type: 'region' }).of(code) ?? code;
}
