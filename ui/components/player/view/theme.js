/** Colours of the page's theme, for canvases; styles use the same variables directly. */

const NAMES = {
  text: '--st-text-color',
  background: '--st-background-color',
  box: '--st-secondary-background-color',
  primary: '--st-primary-color',
  font: '--st-font',
};

/** Read the theme of an element; `isDark` tells whether text is lighter than its background. */
export function readTheme(element) {
  const style = getComputedStyle(element);
  const theme = {};
  for (const [name, variable] of Object.entries(NAMES)) theme[name] = style.getPropertyValue(variable).trim();
  theme.isDark = brightness(theme.text) > brightness(theme.background);
  theme.id = Object.values(theme).join();
  return theme;
}

/** `#rrggbb` (or `rgb(…)`) with an opacity from 0 to 1. */
export function withAlpha(colour, alpha) {
  const [r, g, b] = channels(colour);
  return `rgb(${r} ${g} ${b} / ${alpha})`;
}

/** Mix two colours; `share` is that of the second, 0 to 1. */
export function blend(colour, other, share) {
  const second = channels(other);
  const mixed = channels(colour).map((value, i) => Math.round(value + (second[i] - value) * share));
  return `rgb(${mixed.join(' ')})`;
}

export function channels(colour) {
  if (colour.startsWith('#')) {
    const hex = colour.length === 4 ? colour.replace(/[0-9a-f]/gi, '$&$&') : colour;
    return [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16));
  }
  return (colour.match(/[\d.]+/g) ?? ['0', '0', '0']).slice(0, 3).map(Number);
}

function brightness(colour) {
  const [r, g, b] = channels(colour);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
