/** Icons, buttons and small changes of the player's elements. */

import { h } from '../../elements.js';

const ICONS = {
  play: 'M8 5v14l11-7z',
  pause: 'M6 5h4v14H6zM14 5h4v14h-4z',
  start: 'M6 5h2.5v14H6zM20 5v14L9.5 12z',
  back: 'M12 5v14L3 12zM21 5v14l-9-7z',
  forward: 'M12 5v14l9-7zM3 5v14l9-7z',
  loop: 'M7 7h9v3l5-4-5-4v3H5v7h2zM17 17H8v-3l-5 4 5 4v-3h11v-7h-2z',
  plus: 'M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6z',
  minus: 'M5 11h14v2H5z',
  fit: 'M4 6h2v12H4zM18 6h2v12h-2zM7 12l4-4v3h2V8l4 4-4 4v-3h-2v3z',
  click: 'M9 3h6l4 18H5zm1.6 2L7.5 19h9L13.4 5zM17 4l1.5 1-6 10-1.5-1z',
  save: 'M11 4h2v8h3l-4 5-4-5h3zM5 18h14v2H5z',
  close: 'M6.4 5 12 10.6 17.6 5 19 6.4 13.4 12 19 17.6 17.6 19 12 13.4 6.4 19 5 17.6 10.6 12 5 6.4z',
  spectrum: 'M4 11h3v9H4zM10.5 4h3v16h-3zM17 14h3v6h-3z',
  reset: 'M12 5a7 7 0 1 1-6.7 5h2.2A5 5 0 1 0 12 7v3L7 6l5-4z',
};

export function icon(name) {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(space, 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

/** Change what an icon shows. */
export function setIcon(button, name) {
  button.querySelector('path').setAttribute('d', ICONS[name]);
}

/**
 * Make a button. A click by mouse leaves the focus where it is, so that space and arrows keep
 * their meaning for the player.
 */
export function button({ name, label = null, text = null, ...properties }) {
  const inside = [name ? icon(name) : null, text];
  const made = h('button', { type: 'button', 'aria-label': label, title: label, ...properties }, ...inside);
  made.addEventListener('mousedown', (event) => event.preventDefault());
  return made;
}

export function setPressed(element, isPressed) {
  element.setAttribute('aria-pressed', String(isPressed));
}

/** Set an attribute or text only if it changes: assistive technology announces each write. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
