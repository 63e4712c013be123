// Light, dark, or as the system has it. `public/theme.js` applies the choice before the first paint.
export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const STORED = 'wagate.theme';
const chosen = document.documentElement.dataset.theme;
let theme = $state<Theme>(chosen === 'light' || chosen === 'dark' ? chosen : 'system');

export const themes = {
  get current(): Theme {
    return theme;
  },
  set current(next: Theme) {
    theme = next;
    if (next === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    try {
      localStorage.setItem(STORED, next);
    } catch {
      // It holds until the page is left, then.
    }
  },
};
