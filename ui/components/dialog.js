/** Questions in a window of their own. */

import { h } from './elements.js';

/**
 * Ask something; the result is what `answer` returns, null if the question was left.
 * @param {Element} parent
 * @param {Object} parts
 * @param {string} parts.title
 * @param {Node[]} parts.content
 * @param {string} parts.yes text of the button that answers
 * @param {string} parts.no text of the button that leaves
 * @param {boolean} parts.isDanger whether the answer destroys something
 * @param {function(): *} parts.answer
 */
export function ask(parent, { title, content, yes, no, isDanger = false, answer }) {
  return new Promise((resolve) => {
    const heading = h('h2', { id: 'question' }, title);
    const form = h(
      'form',
      { method: 'dialog' },
      heading,
      ...content,
      h(
        'div',
        { class: 'actions' },
        h('button', { type: 'submit', class: `action ${isDanger ? 'danger' : 'primary'}` }, yes),
        h('button', { type: 'button', class: 'action', onclick: () => dialog.close() }, no),
      ),
    );
    const dialog = h('dialog', { 'aria-labelledby': 'question' }, form);
    let answered = null;
    form.addEventListener('submit', () => { answered = answer(); });
    dialog.addEventListener('keydown', (event) => event.stopPropagation());
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(answered);
    });
    parent.append(dialog);
    dialog.showModal();
  });
}
