/** What happened, in one line above the table's end, and for screen readers. */

import { h } from './elements.js';

const SHOWN_MS = 8000;

export class Messages {
  constructor(words) {
    this.words = words;
    this.text = h('span', { role: 'status', 'aria-live': 'polite' });
    this.actions = h('span', { class: 'actions' });
    const close = h('button', { type: 'button', class: 'plain', 'aria-label': words.close, onclick: () => this.hide() }, '×');
    this.root = h('div', { class: 'message', hidden: true }, this.text, this.actions, close);
  }

  /**
   * Tell something.
   * @param {Array<[string, Function]>} actions buttons: text and what they do
   */
  tell(text, { isTrouble = false, actions = [], isLasting = isTrouble } = {}) {
    clearTimeout(this.hiding);
    this.root.hidden = false;
    this.root.classList.toggle('trouble', isTrouble);
    this.text.setAttribute('role', isTrouble ? 'alert' : 'status');
    this.text.textContent = text;
    this.actions.replaceChildren(
      ...actions.map(([label, act]) =>
        h('button', { type: 'button', class: 'action', onclick: () => { this.hide(); act(); } }, label),
      ),
    );
    if (!isLasting) this.hiding = setTimeout(() => this.hide(), SHOWN_MS);
  }

  /** Tell why something was refused. */
  refuse(refusal) {
    if (refusal.name === 'AbortError') return;
    this.tell(refusal.words ?? String(refusal), { isTrouble: true });
  }

  hide() {
    clearTimeout(this.hiding);
    this.root.hidden = true;
    this.text.textContent = '';
  }
}
