/** The list of keys, as a dialog. */

import { h } from '../../elements.js';
import { t } from '../../language.js';
import { button } from './dom.js';
import { keys } from './keyboard.js';

/** @returns {HTMLDialogElement} open it with `showModal()` */
export function helpDialog() {
  const close = button({ name: 'close', label: t('Close'), onclick: () => dialog.close() });
  const rows = keys().flatMap(([key, meaning]) => [h('dt', {}, key), h('dd', {}, meaning)]);
  const dialog = h(
    'dialog',
    { class: 'help', 'aria-label': t('Keys of the player') },
    h('header', {}, h('h2', {}, t('Keys of the player')), close),
    h('dl', {}, ...rows),
    h('p', {}, t('Drag on the ruler to loop, on whole bars (Alt: freely). Double-click a section to loop it, a fader to set it to 0 dB. The wheel zooms, with Shift it moves.')),
  );
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });
  return dialog;
}
