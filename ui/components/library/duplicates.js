/** Groups of tracks that are the same, or may be, side by side. */

import { h } from '../elements.js';
import { trackPath } from '../api.js';
import { COLUMNS, textOf } from './columns.js';
import { ask } from '../dialog.js';

const COMPARED = COLUMNS.filter(({ name }) => !['title', 'comment'].includes(name));

export class DuplicatesView {
  /**
   * @param {Object} parts
   * @param {import('../api.js').Api} parts.api
   * @param {import('../messages.js').Messages} parts.messages
   * @param {Object} parts.words
   * @param {function(Object)} parts.open called with a track whose page is wanted
   */
  constructor({ api, messages, words, open }) {
    Object.assign(this, { api, messages, words, open });
    this.root = h('div', { class: 'duplicates', hidden: true, tabindex: '0', role: 'region', 'aria-label': words.duplicates });
  }

  async show() {
    this.root.hidden = false;
    this.root.replaceChildren(h('p', {}, this.words.working));
    try {
      const { groups } = await this.api.ask('GET', '/library/duplicates');
      const shown = groups.length ? groups.map((group) => this.group(group)) : [h('p', {}, this.words.noDuplicates)];
      this.root.replaceChildren(...shown);
    } catch (refusal) {
      this.root.replaceChildren(h('p', {}, refusal.words));
    }
  }

  hide() {
    this.root.hidden = true;
  }

  group({ level, tracks }) {
    const { words } = this;
    const head = h('tr', {}, h('th', { scope: 'row' }, words.columns.title), ...tracks.map((track) => h('th', { scope: 'col' }, h('button', { type: 'button', class: 'plain', onclick: () => this.open(track) }, track.title))));
    const rows = COMPARED.map((column) => {
      const texts = tracks.map((track) => textOf(column, track));
      const differs = new Set(texts).size > 1;
      return h('tr', { class: differs ? 'differs' : null }, h('th', { scope: 'row' }, words.columns[column.name]), ...texts.map((text) => h('td', {}, text)));
    });
    const actions = h('tr', {}, h('td', {}), ...tracks.map((track) => h('td', {}, h('button', { type: 'button', class: 'action danger', 'aria-label': `${words.remove}: ${track.title}`, onclick: () => void this.remove(track) }, words.remove))));
    return h('section', {}, h('h2', {}, words.levels[level]), h('div', { class: 'wide' }, h('table', {}, h('thead', {}, head), h('tbody', {}, ...rows, actions))));
  }

  async remove(track) {
    const { words } = this;
    const isSure = await ask(this.root, {
      title: words.removeOne.replace('{n}', 1),
      content: [h('p', {}, h('b', {}, track.title)), h('p', {}, words.removeWhat)],
      yes: words.removeYes,
      no: words.cancel,
      isDanger: true,
      answer: () => true,
    });
    if (!isSure) return;
    try {
      await this.api.ask('DELETE', trackPath(track.id));
    } catch (refusal) {
      this.messages.refuse(refusal);
    }
    await this.show();
  }
}
