/** A range input that speaks its value, goes back by double click, and obeys the wheel. */

import { h } from '../../elements.js';
import { t } from '../../language.js';

/**
 * @param {object} options `label`; `read` returns the position, `write` takes it; `text` says the
 *   value in words; `initial` is the position that a double click returns to; `step` of arrow keys
 *   and wheel, a tenth of it with Alt
 * @returns {HTMLInputElement & {refresh: () => void}}
 */
export function slider({ label, min, max, step, initial, read, write, text, className = '' }) {
  const input = h('input', {
    type: 'range',
    class: className,
    'aria-label': label,
    min,
    max,
    step: 'any',
    title: t('{label}: double-click for {value}', { label, value: text(initial) }),
  });
  const set = (value) => {
    write(Math.min(Math.max(value, min), max));
    input.refresh();
  };
  input.refresh = () => {
    const value = read();
    input.value = value;
    input.setAttribute('aria-valuetext', text(value));
    input.style.setProperty('--fill', `${(100 * (value - min)) / (max - min)}%`);
  };
  input.addEventListener('input', () => set(Number(input.value)));
  input.addEventListener('dblclick', () => set(initial));
  input.addEventListener('pointerup', () => input.blur());
  const keys = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 5, PageDown: -5 };
  input.addEventListener('keydown', (event) => {
    if (!(event.key in keys) || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    set(read() + keys[event.key] * step * (event.altKey ? 0.1 : 1));
  });
  input.addEventListener(
    'wheel',
    (event) => {
      if (event.ctrlKey || event.deltaY === 0) return;
      event.preventDefault();
      event.stopPropagation();
      set(read() - Math.sign(event.deltaY) * step * (event.altKey ? 0.1 : 1));
    },
    { passive: false },
  );
  input.refresh();
  return input;
}
