// SPDX-License-Identifier: Apache-2.0
/*
 * Light, dark, or the system's choice. The chosen one is an attribute of <html>, which
 * public/theme.js sets before the first paint. `themeVersion` changes whenever colours
 * do, for what is painted on a canvas.
 */
import { signal } from '@preact/signals';

export type Theme = 'auto' | 'light' | 'dark';

const KEY = 'weft.theme';
const NEXT: Record<Theme, Theme> = { auto: 'light', light: 'dark', dark: 'auto' };

const chosen = document.documentElement.dataset['theme'];

export const theme = signal<Theme>(chosen === 'light' || chosen === 'dark' ? chosen : 'auto');
export const themeVersion = signal(0);

export function cycleTheme(): void {
  theme.value = NEXT[theme.value];
  if (theme.value === 'auto') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme.value;
  themeVersion.value++;
  try {
    if (theme.value === 'auto') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme.value);
  } catch {
    // Storage is off: the choice lasts as long as this page.
  }
}

window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => themeVersion.value++);
