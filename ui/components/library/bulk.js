/** What can be done with the selected tracks. */

import { h } from '../elements.js';
import { trackPath } from '../api.js';
import { ask } from '../dialog.js';

const AT_ONCE = 4;
const STARS = [0, 1, 2, 3, 4, 5];
const NEW = 'new';

export class Bulk {
  /**
   * @param {Object} parts
   * @param {import('../api.js').Api} parts.api
   * @param {import('./rows.js').Rows} parts.rows
   * @param {import('./selection.js').Selection} parts.selection
   * @param {import('../messages.js').Messages} parts.messages
   * @param {Object} parts.data words, formats
   * @param {import('./side.js').Side} parts.side
   * @param {function(string)} parts.openSet called with the id of a playlist whose page is wanted
   * @param {function(string[])} parts.planSet called with the tracks that a set is to be planned from
   * @param {function()} parts.searchAgain
   */
  constructor({ api, rows, selection, messages, data, side, openSet, planSet, searchAgain }) {
    Object.assign(this, { api, rows, selection, messages, data, side, openSet, planSet, searchAgain });
    this.words = data.words;
    this.isBusy = false;
    this.build();
  }

  build() {
    const { words } = this;
    this.count = h('b', { 'aria-live': 'polite' });
    this.stars = h('select', { 'aria-label': words.rate }, h('option', { value: '' }, words.rate), ...STARS.map((n) => h('option', { value: String(n) }, n ? '★'.repeat(n) : words.noStars)));
    this.stars.addEventListener('change', () => {
      const stars = Number(this.stars.value);
      if (this.stars.value !== '') void this.rate(stars);
      this.stars.value = '';
    });
    this.into = h('select', { 'aria-label': words.addTo });
    this.into.addEventListener('change', () => {
      const { value } = this.into;
      this.into.value = '';
      if (value === NEW) void this.side.create(this.selection.ids);
      else if (value !== '') void this.side.add(value, this.selection.ids);
    });
    const action = (text, act, kind = '') => h('button', { type: 'button', class: `action ${kind}`, onclick: act }, text);
    this.out = action(words.takeOut, () => this.takeOut());
    this.root = h(
      'div',
      { class: 'bulk', role: 'toolbar', 'aria-label': words.selected, hidden: true },
      this.count,
      this.stars,
      this.into,
      this.out,
      action(words.savePlaylist, () => this.savePlaylist()),
      action(words.planSet, () => this.planSet(this.selection.ids)),
      action(words.remove, () => this.remove(), 'danger'),
      action(words.clearSelection, () => this.selection.clear(), 'plain'),
    );
  }

  show() {
    const n = this.selection.size;
    this.root.hidden = n === 0;
    this.count.textContent = this.nSelected(n);
  }

  /** Offer the collections that take tracks. */
  showCollections() {
    const { words, side } = this;
    this.into.replaceChildren(
      h('option', { value: '' }, words.addTo),
      ...side.plain.map(({ id, name }) => h('option', { value: id }, name)),
      h('option', { value: NEW }, words.newCollection),
    );
    this.out.hidden = side.collection === null || side.collection.query !== null;
  }

  async takeOut() {
    await this.side.takeOut(this.selection.ids);
    this.selection.clear();
    this.searchAgain();
  }

  nSelected(n) {
    return (n === 1 ? this.words.oneSelected : this.words.nSelected).replace('{n}', n.toLocaleString());
  }

  async rate(rating) {
    const { words } = this;
    const done = await this.each(words.rating, async (id) => {
      this.rows.update(await this.api.ask('PATCH', trackPath(id), { body: { rating } }));
    });
    if (done.length) this.messages.tell(this.counted(words.oneRated, words.nRated, done.length));
  }

  async remove() {
    const { words, selection } = this;
    const n = selection.size;
    if (n === 0 || this.isBusy) return;
    const isSure = await ask(this.root.getRootNode().querySelector('.library'), {
      title: this.counted(words.removeOne, words.removeN, n),
      content: [h('p', {}, words.removeWhat)],
      yes: words.removeYes,
      no: words.cancel,
      isDanger: true,
      answer: () => true,
    });
    if (!isSure) return;
    const done = await this.each(words.removing, (id) => this.api.ask('DELETE', trackPath(id)));
    selection.remove(done);
    if (done.length) this.messages.tell(this.counted(words.oneRemoved, words.nRemoved, done.length));
    this.searchAgain();
  }

  /** Keep the selection in its order as a playlist, to export it. */
  async savePlaylist() {
    const { words } = this;
    const name = this.nameField();
    const wish = await this.question(words.savePlaylist, words.save, [name.label], () => ({ name: name.input.value, tracks: this.selection.ids }));
    if (wish) await this.create(wish);
  }

  nameField() {
    const input = h('input', { required: true, maxlength: '500', value: this.words.newPlaylist });
    return { input, label: h('label', {}, this.words.name, input) };
  }

  question(title, yes, content, answer) {
    return ask(this.root.getRootNode().querySelector('.library'), { title, content, yes, no: this.words.cancel, answer });
  }

  async create(wish) {
    const { words, messages } = this;
    try {
      messages.tell(words.working, { isLasting: true });
      const playlist = await this.api.ask('POST', '/playlists', { body: wish });
      const told = this.counted(words.oneInPlaylist, words.nInPlaylist, playlist.tracks.length).replace('{name}', playlist.name);
      messages.tell([told, ...playlist.relaxed.map((wish) => wish.words)].join(' '), {
        isLasting: true,
        actions: [
          [words.openSet, () => this.openSet(playlist.id)],
          ...this.data.formats.map(([format, text]) => [text, () => this.download(playlist.exports[format])]),
        ],
      });
    } catch (refusal) {
      messages.refuse(refusal);
    }
  }

  download(path) {
    const link = h('a', { href: this.api.url(path), download: '' });
    this.root.append(link);
    link.click();
    link.remove();
  }

  /** Do something for each selected track; return the ids for which it went well. */
  async each(what, act) {
    if (this.isBusy) return [];
    this.isBusy = true;
    const left = this.selection.ids;
    const n = left.length;
    const done = [];
    let refusal = null;
    const work = async () => {
      while (left.length && refusal === null) {
        const id = left.shift();
        try {
          await act(id);
          done.push(id);
        } catch (error) {
          refusal = error;
        }
        this.messages.tell(what.replace('{n}', done.length.toLocaleString()).replace('{all}', n.toLocaleString()), { isLasting: true });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    this.isBusy = false;
    if (refusal !== null) {
      this.messages.tell(`${this.words.stopped.replace('{n}', done.length).replace('{all}', n)} ${refusal.words ?? refusal}`, { isTrouble: true });
      return [];
    }
    return done;
  }

  counted(one, many, n) {
    return (n === 1 ? one : many).replace('{n}', n.toLocaleString());
  }
}
