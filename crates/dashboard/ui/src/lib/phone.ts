// Telephone numbers as people write them. The rules of all countries are 35 kB, so they come when a field is shown.
export type Numbers = typeof import('libphonenumber-js/min');
export type Reading = { e164: string; national: string; country: string | undefined } | null;

let numbers: Promise<Numbers> | undefined;

export function loadNumbers(): Promise<Numbers> {
  numbers ??= import('libphonenumber-js/min');
  return numbers;
}

const STORED = 'wagate.country';
const BY_LANGUAGE: Record<string, string> = { id: 'ID', 'pt-BR': 'BR', es: 'ES', en: 'US' };

/** The country chosen before, else the browser's, else the language's. */
export function usualCountry(language: string): string {
  let stored: string | null = null;
  try {
    stored = localStorage.getItem(STORED);
  } catch {
    // Without storage the browser's it is.
  }
  const tag = navigator.languages.find((one) => one.split('-')[0] === language.split('-')[0]) ?? language;
  const region = new Intl.Locale(tag).region;
  return stored ?? region ?? BY_LANGUAGE[language] ?? 'US';
}

export function rememberCountry(country: string): void {
  try {
    localStorage.setItem(STORED, country);
  } catch {
    // It holds until the page is left, then.
  }
}

/** What `text` means in `country`: with a leading zero, brackets and dashes, or international. */
export function readNumber(numbers: Numbers, text: string, country: string): Reading {
  const written = text.trim().replace(/^00/, '+');
  const known = numbers.isSupportedCountry(country) ? country : undefined;
  const local = numbers.parsePhoneNumberFromString(written, known);
  // Without a plus but with the country's code, as it is copied from other programs.
  const found = local?.isPossible() ? local : numbers.parsePhoneNumberFromString(`+${written.replace(/\D/g, '')}`);
  if (!found?.isPossible()) return null;
  return { e164: found.number, national: found.formatInternational(), country: found.country };
}
