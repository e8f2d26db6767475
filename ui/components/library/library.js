/** The library: search, table, and what can be done with tracks. */

import { h } from '../elements.js';
import { Api } from '../api.js';
import { Bulk } from './bulk.js';
import { Editor } from './editor.js';
import { Grid } from './grid.js';
import { DuplicatesView } from './duplicates.js';
import { TempoMap } from './map.js';
import { Messages } from '../messages.js';
import { Panel } from './panel.js';
import { Rows } from './rows.js';
import { Selection } from './selection.js';
import { DUPLICATES, Side } from './side.js';
import { FIRST_VIEW, Toolbar, toQuery } from './toolbar.js';

const KEPT = 'stemcrate.library';
const HALF = 0.5;
const mounted = new WeakMap();

/**
 * Data: `api` (the path below which it answers), `words`, `keys` (names by Camelot code), `colours`
 * (by Camelot code), `formats` (pairs of value and text), `additions` (grows when tracks may have been added).
 * Triggers: `open` and `set` with the id of a track and of a playlist whose page is wanted; `plan`
 * with ids of tracks to plan a set from; `add` when tracks are to be added.
 */
export default function mount(component) {
  const { parentElement } = component;
  let library = mounted.get(parentElement);
  if (library === undefined) {
    library = new Library(component);
    mounted.set(parentElement, library);
  }
  library.noteAdditions(component.data.additions);
  return library.unmount;
}

class Library {
  constructor({ parentElement, data, setTriggerValue }) {
    this.parent = parentElement;
    this.data = data;
    this.unmount = this.unmount.bind(this);
    const { words } = data;
    const view = readKept().view ?? FIRST_VIEW;
    this.api = new Api(data.api, words.away);
    this.messages = new Messages(words);
    this.rows = new Rows(this.api, () => this.render());
    this.selection = new Selection(() => this.render());
    const open = (track) => setTriggerValue('open', track.id);
    const action = (text, act) => h('button', { type: 'button', class: 'action', 'aria-pressed': 'false', onclick: act }, text);
    this.goesWith = action(words.goesWith, () => this.togglePanel());
    this.onMap = action(words.map, () => this.toggleMap());
    const add = h('button', { type: 'button', class: 'action', onclick: () => setTriggerValue('add', true) }, words.add);
    this.toolbar = new Toolbar(data, view, {
      changed: (changed) => this.onView(changed),
      keep: (kept) => void this.side.keep(kept),
      extra: [this.goesWith, this.onMap, add],
    });
    this.side = new Side({
      api: this.api,
      messages: this.messages,
      words,
      open: (id) => this.openCollection(id),
      changed: () => this.bulk.showCollections(),
    });
    this.side.current = view.collection ?? null;
    this.panel = new Panel({ api: this.api, data, open });
    this.map = new TempoMap({ api: this.api, data, choose: (cell) => this.onCell(cell) });
    this.duplicates = new DuplicatesView({ api: this.api, messages: this.messages, words, open });
    this.editor = new Editor({ api: this.api, rows: this.rows, words, messages: this.messages });
    this.bulk = new Bulk({
      api: this.api,
      rows: this.rows,
      selection: this.selection,
      messages: this.messages,
      data,
      side: this.side,
      openSet: (id) => setTriggerValue('set', id),
      planSet: (ids) => setTriggerValue('plan', ids),
      searchAgain: () => this.search(),
    });
    this.grid = new Grid({
      rows: this.rows,
      selection: this.selection,
      data,
      link: (path) => this.api.url(path),
      on: {
        sort: (key) => this.onSort(key),
        open,
        edit: (cell, column, track) => this.edit(cell, column, track),
        rate: (track, stars) => track && void this.editor.rate(track, stars),
        remove: () => void this.bulk.remove(),
        look: () => this.togglePanel(),
        moved: () => this.panel.follow(this.grid.track),
        selectAll: () => void this.selectAll(),
        isFiltered: () => this.toolbar.isFiltered || this.side.current !== null,
      },
    });
    const table = h('div', { class: 'table' }, this.toolbar.root, this.map.root, this.grid.root, this.duplicates.root, this.bulk.root, this.messages.root);
    this.root = h('section', { class: 'library', 'aria-label': words.library }, this.side.root, table, this.panel.root);
    this.parent.append(this.root);
    this.grid.showOrder(view.sort, view.descending);
    this.side.show();
    void this.side.read();
    this.search();
  }

  unmount() {
    mounted.delete(this.parent);
    this.rows.stop();
    this.grid.unmount();
    this.toolbar.unmount();
    this.panel.unmount();
    this.map.unmount();
    this.root.remove();
  }

  /** Search again where tracks may have been added since. */
  noteAdditions(additions) {
    if (additions === this.data.additions) return;
    this.data = { ...this.data, additions };
    this.search();
  }

  search() {
    const query = toQuery(this.toolbar.view);
    this.rows.search(query);
    void this.map.read(query);
    this.render();
  }

  render() {
    this.grid.render();
    this.bulk.show();
    this.toolbar.showCount(this.rows.total);
  }

  onView(view) {
    keep({ view });
    this.grid.rewind();
    this.grid.showOrder(view.sort, view.descending);
    this.search();
  }

  /** Show a collection, the duplicates, or with null all tracks. */
  openCollection(id) {
    const isSearch = id !== DUPLICATES;
    this.side.current = id;
    this.side.show();
    this.bulk.showCollections();
    this.selection.clear();
    this.grid.root.hidden = !isSearch;
    this.toolbar.root.hidden = !isSearch;
    if (!isSearch && this.map.isOpen) this.toggleMap();
    if (!isSearch) {
      void this.duplicates.show();
      return;
    }
    this.duplicates.hide();
    this.toolbar.set({ collection: id ?? undefined });
  }

  togglePanel() {
    this.panel.toggle(this.grid.track);
    this.goesWith.setAttribute('aria-pressed', String(this.panel.isOpen));
  }

  toggleMap() {
    this.map.toggle(toQuery(this.toolbar.view));
    this.onMap.setAttribute('aria-pressed', String(this.map.isOpen));
  }

  onCell({ camelot, tempo_bpm: tempo }) {
    this.toolbar.set({ key: camelot, mixes_with: undefined, tempo_min_bpm: tempo - HALF, tempo_max_bpm: tempo + HALF });
  }

  onSort(key) {
    const { sort, descending } = this.toolbar.view;
    this.toolbar.set({ sort: key, descending: key === sort && !descending });
  }

  async edit(cell, column, track) {
    await this.editor.edit(cell, column, track);
    this.grid.root.focus({ preventScroll: true });
  }

  async selectAll() {
    const { rows, selection, messages, data } = this;
    if (rows.total !== null && selection.size >= rows.total) {
      selection.clear();
      return;
    }
    try {
      messages.tell(data.words.working, { isLasting: true });
      selection.replace(await rows.all());
      messages.hide();
    } catch (refusal) {
      messages.refuse(refusal);
    }
  }
}

function readKept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT)) ?? {};
  } catch {
    return {};
  }
}

function keep(change) {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify({ ...readKept(), ...change }));
  } catch {
    // A browser that keeps nothing starts from the first view.
  }
}
