/** Changes of single tracks: in a cell of the table, with the version that they were made for. */

import { h } from '../elements.js';
import { trackPath } from '../api.js';
import { draftOf } from './columns.js';

const CHANGED = 412;

export class Editor {
  /**
   * @param {Object} parts
   * @param {import('../api.js').Api} parts.api
   * @param {import('./rows.js').Rows} parts.rows
   * @param {Object} parts.words
   * @param {import('../messages.js').Messages} parts.messages
   */
  constructor({ api, rows, words, messages }) {
    this.api = api;
    this.rows = rows;
    this.words = words;
    this.messages = messages;
  }

  /** Edit a cell; the result tells when it is over. */
  edit(cell, column, track) {
    const { words } = this;
    const input = h('input', {
      class: 'edit',
      autocomplete: 'off',
      inputmode: column.edit.mode,
      'aria-label': `${words.columns[column.name]}: ${track.title}`,
    });
    input.value = draftOf(column, track);
    cell.classList.add('editing');
    cell.replaceChildren(input);
    const reading = this.read(track.id).then((details) => {
      const now = details === null ? input.value : draftOf(column, details);
      // Another window changed it since the table was read: that is what is edited.
      if (now !== draftOf(column, track) && input.value === draftOf(column, track)) input.value = now;
      return details;
    });
    return new Promise((resolve) => {
      const end = (isKept) => {
        if (!cell.classList.contains('editing')) return;
        cell.classList.remove('editing');
        const text = input.value;
        cell.replaceChildren();
        resolve(isKept);
        if (isKept) void reading.then((details) => this.keep(column, details, text));
        else this.rows.changed();
      };
      input.addEventListener('keydown', (event) => {
        if (event.key === 'Enter' && !event.isComposing) end(true);
        else if (event.key === 'Escape') end(false);
        else return;
        event.preventDefault();
        event.stopPropagation();
      });
      input.addEventListener('blur', () => end(true));
      input.focus();
      input.select();
    });
  }

  /** Read a track with its version; null if that is refused. */
  async read(id) {
    try {
      const details = await this.api.ask('GET', trackPath(id));
      this.rows.update(details);
      return details;
    } catch (refusal) {
      this.messages.refuse(refusal);
      return null;
    }
  }

  async keep(column, details, text) {
    const { edit } = column;
    this.rows.changed();
    if (details === null || text === draftOf(column, details)) return;
    const value = edit.read(text);
    if (value === undefined) {
      this.messages.tell(this.words.noNumber.replace('{text}', text), { isTrouble: true });
      return;
    }
    await this.change(details, { [edit.field]: value }, this.words.columns[column.name]);
  }

  /** Set the stars of a track; the same number again takes them away. */
  async rate(track, stars) {
    const details = await this.read(track.id);
    if (details === null) return;
    const rating = stars === details.rating ? 0 : stars;
    await this.change(details, { rating }, this.words.columns.rating);
  }

  /** Change a track as it was read; tell if another has changed it since, and offer to undo it. */
  async change(details, change, what) {
    const { words, messages } = this;
    try {
      const changed = await this.api.ask('PATCH', trackPath(details.id), { body: change, version: details.version });
      this.rows.update(changed);
      messages.tell(words.saved.replace('{what}', what).replace('{title}', changed.title), {
        actions: [[words.undo, () => this.undo(changed)]],
      });
    } catch (refusal) {
      if (refusal.status === CHANGED) await this.onChanged(details, change, what);
      else messages.refuse(refusal);
      this.rows.changed();
    }
  }

  async onChanged(details, change, what) {
    const now = await this.read(details.id);
    if (now === null) return;
    const { words } = this;
    this.messages.tell(words.conflict.replace('{title}', now.title), {
      isTrouble: true,
      actions: [
        [words.useMine, () => this.change(now, change, what)],
        [words.keepTheirs, () => {}],
      ],
    });
  }

  async undo(details) {
    try {
      const back = await this.api.ask('POST', trackPath(details.id, 'corrections', 'undo'), { version: details.version });
      this.rows.update(back);
      this.messages.tell(this.words.undone.replace('{title}', back.title));
    } catch (refusal) {
      this.messages.refuse(refusal);
    }
  }
}
