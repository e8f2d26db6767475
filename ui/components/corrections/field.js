/** A row of the panel: controls, the value that the analysis found, and the way back to it. */

import { h } from '../elements.js';
import { t } from '../language.js';
import { button, setText } from '../player/view/dom.js';

/**
 * @param {Overlay} overlay
 * @param {object} options `label`; `names` of the corrected fields; `found` says in words what was
 *   found (of the track), or is left out; `source` says where
 * @param {...Node} controls
 * @returns {HTMLElement & {refresh: () => void}}
 */
export function row(overlay, { label, names, found = () => '', source = t('Analysed') }, ...controls) {
  const told = h('span', { class: 'found' });
  const back = button({
    name: 'reset',
    text: t('Back to what was analysed'),
    label: t('{label}: back to what was analysed', { label }),
    class: 'back',
    onclick: () => overlay.correct(Object.fromEntries(names.filter((name) => overlay.isCorrected(name)).map((name) => [name, null]))),
  });
  const element = h('div', { class: 'field', role: 'group', 'aria-label': label },
    h('span', { class: 'label', 'aria-hidden': 'true' }, label),
    h('div', { class: 'controls' }, ...controls),
    h('div', { class: 'origin' }, told, back),
  );
  element.refresh = () => {
    const isCorrected = names.some((name) => overlay.isCorrected(name));
    back.hidden = !isCorrected;
    const words = isCorrected ? found(overlay.track) : '';
    told.hidden = words === '';
    setText(told, words && `${source}: ${words}`);
    element.classList.toggle('is-corrected', isCorrected);
  };
  return element;
}

/**
 * Make an input that sends its value when it is left or Enter is pressed.
 *
 * @param {() => string} read the present value as text
 * @param {(text: string) => void} write called with another text
 */
export function entry(tag, { label, read, write, ...properties }) {
  const input = h(tag, { 'aria-label': label, ...properties });
  input.addEventListener('change', () => {
    if (input.value !== read()) write(input.value);
  });
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') {
      input.value = read();
      input.blur();
    } else if (event.key === 'Enter' && tag === 'input') input.blur();
  });
  input.refresh = () => {
    // What is being typed is not overwritten.
    if (input.getRootNode().activeElement !== input) input.value = read();
  };
  return input;
}

/** A value that a correction replaced, or undefined: `analysed` holds the facts that differ. */
export function replaced(track, name) {
  return track.corrections.analysed[name];
}
