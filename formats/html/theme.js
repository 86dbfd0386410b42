// Light and dark: the system's, until somebody chooses.
'use strict';

const THEME_KEY = 'gauge-theme';

/** 'light', 'dark', or '' where nobody has chosen: the system's. */
function rememberedTheme() {
  try { // pages from files may not be allowed to remember anything
    return localStorage.getItem(THEME_KEY) ?? '';
  } catch {
    return '';
  }
}

function isDark() {
  const {colorScheme} = document.documentElement.style;
  return colorScheme === '' ? matchMedia('(prefers-color-scheme: dark)').matches : colorScheme === 'dark';
}

function rememberTheme(theme) {
  try {
    localStorage.setItem(THEME_KEY, theme);
  } catch {
    // As it was until the page is closed.
  }
}

/** A custom property of the style sheet as the canvas takes it: what light-dark() has come to. */
function styleColour(name) {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}
