/** The table: rows are drawn only where they are seen, whatever their number. */

import { h } from '../elements.js';
import { COLUMNS } from './columns.js';
import { Row } from './row.js';

const WIDE = 44;
const NARROW = 62;
const NARROW_BELOW = 560;
const OVERSCAN = 8;
const STILL_MS = 80;
const FIXED_COLUMNS = 2;

export class Grid {
  /**
   * @param {Object} parts
   * @param {import('./rows.js').Rows} parts.rows
   * @param {import('./selection.js').Selection} parts.selection
   * @param {Object} parts.data words, colours
   * @param {function(string): string} parts.link
   * @param {Object} parts.on `sort(key)`, `open(track)`, `edit(cell, column, track)`,
   *   `rate(track, stars)`, `remove()`, `look()`, `moved()`, `selectAll()`, `isFiltered()`
   */
  constructor({ rows, selection, data, link, on }) {
    this.rows = rows;
    this.selection = selection;
    this.words = data.words;
    this.on = on;
    this.active = 0;
    this.column = 'title';
    this.shown = new Map();
    this.pool = [];
    this.make = () => new Row(data, link);
    this.height = WIDE;
    this.build();
  }

  build() {
    const { words } = this;
    this.all = h('button', { type: 'button', class: 'check', 'aria-label': words.selectAll, title: words.selectAll, tabindex: '-1', onclick: () => this.on.selectAll() });
    this.heads = COLUMNS.map((column) => this.heading(column));
    this.head = h(
      'div',
      { role: 'row', class: 'row head', 'aria-rowindex': '1' },
      h('div', { role: 'columnheader', class: 'cell select' }, this.all),
      h('div', { role: 'columnheader', class: 'cell' }, h('span', { class: 'unseen' }, words.cover)),
      ...this.heads,
    );
    this.space = h('div', { class: 'space', role: 'rowgroup' });
    this.empty = h('p', { class: 'empty', hidden: true });
    this.body = h('div', { class: 'scroll', onscroll: () => this.onScroll() }, h('div', { role: 'rowgroup', class: 'heads' }, this.head), this.space, this.empty);
    this.root = h('div', {
      class: 'grid',
      role: 'grid',
      tabindex: '0',
      'aria-label': words.table,
      'aria-multiselectable': 'true',
      'aria-colcount': String(COLUMNS.length + FIXED_COLUMNS),
      onkeydown: (event) => this.onKey(event),
    }, this.body);
    this.root.style.setProperty('--columns', ['1.9rem', '2.5rem', ...COLUMNS.map(({ width }) => width)].join(' '));
    this.space.addEventListener('click', (event) => this.onClick(event));
    this.space.addEventListener('dblclick', (event) => this.onDoubleClick(event));
    this.resize = new ResizeObserver(() => this.layout());
    this.resize.observe(this.root);
  }

  heading(column) {
    const text = this.words.columns[column.name];
    const inside = column.sort
      ? h('button', { type: 'button', class: 'sort', tabindex: '-1', onclick: () => this.on.sort(column.sort) }, text)
      : h('span', {}, text);
    return h('div', { role: 'columnheader', class: `cell ${column.name}${column.isNumber ? ' number' : ''}` }, inside);
  }

  unmount() {
    this.resize.disconnect();
    clearTimeout(this.still);
  }

  get isNarrow() {
    return this.root.clientWidth < NARROW_BELOW;
  }

  layout() {
    const height = this.isNarrow ? NARROW : WIDE;
    if (height !== this.height) {
      const top = this.body.scrollTop / this.height;
      this.height = height;
      this.render();
      this.body.scrollTop = top * height;
    }
    this.render();
  }

  onScroll() {
    this.render({ isScrolling: true });
    clearTimeout(this.still);
    this.still = setTimeout(() => this.render(), STILL_MS);
  }

  /** Show how rows are sorted. */
  showOrder(sort, isDescending) {
    COLUMNS.forEach((column, i) => {
      const order = column.sort !== sort ? 'none' : isDescending ? 'descending' : 'ascending';
      if (column.sort) this.heads[i].setAttribute('aria-sort', order);
    });
  }

  /** Go back to the first row. */
  rewind() {
    this.active = 0;
    this.body.scrollTop = 0;
  }

  render({ isScrolling = false } = {}) {
    const { rows, height, selection } = this;
    const n = rows.total ?? this.space.dataset.n ?? 0;
    this.space.style.height = `${n * height}px`;
    this.space.dataset.n = n;
    this.active = Math.max(0, Math.min(this.active, n - 1));
    this.root.setAttribute('aria-rowcount', rows.total === null ? '-1' : String(n + 1));
    this.root.setAttribute('aria-busy', String(rows.total === null));
    const view = this.body.clientHeight;
    const first = Math.max(0, Math.floor(this.body.scrollTop / height) - OVERSCAN);
    const last = Math.min(n - 1, Math.ceil((this.body.scrollTop + view) / height) + OVERSCAN);
    for (const [index, row] of this.shown) {
      if (index >= first && index <= last) continue;
      if (row.root.querySelector('.editing')) continue;
      row.root.remove();
      this.shown.delete(index);
      this.pool.push(row);
    }
    for (let index = first; index <= last; index++) {
      let row = this.shown.get(index);
      if (row === undefined) {
        row = this.pool.pop() ?? this.make();
        row.root.style.transform = `translateY(${index * height}px)`;
        this.shown.set(index, row);
        this.space.append(row.root);
      } else if (!isScrolling) {
        row.root.style.transform = `translateY(${index * height}px)`;
      }
      const track = rows.at(index);
      const isActive = index === this.active;
      row.show(track, index, { isSelected: track !== undefined && selection.has(track.id), isActive, column: this.column });
    }
    if (!isScrolling) rows.want(first, last);
    if (this.shown.has(this.active)) this.root.setAttribute('aria-activedescendant', `${this.column}-${this.active}`);
    else this.root.removeAttribute('aria-activedescendant');
    const isAll = n > 0 && selection.size >= n;
    this.all.classList.toggle('on', isAll);
    this.all.classList.toggle('some', selection.size > 0 && !isAll);
    this.showEmpty(n);
  }

  showEmpty(n) {
    const { rows, words } = this;
    const none = this.on.isFiltered() ? words.nothing : words.noTracks;
    const text = rows.refusal?.words ?? (rows.total === 0 ? none : '');
    this.empty.hidden = text === '' || (n > 0 && !rows.refusal);
    this.empty.classList.toggle('over', n > 0);
    if (this.empty.textContent !== text) this.empty.textContent = text;
  }

  get track() {
    return this.rows.at(this.active);
  }

  /** Make a row the active one, and show it. */
  go(index) {
    const n = this.rows.total ?? 0;
    this.active = Math.max(0, Math.min(index, n - 1));
    const top = this.active * this.height;
    const { body } = this;
    const room = body.clientHeight - this.head.offsetHeight;
    if (top < body.scrollTop) body.scrollTop = top;
    else if (top + this.height > body.scrollTop + room) body.scrollTop = top + this.height - room;
    this.render();
    this.on.moved();
  }

  async extend(index) {
    this.go(index);
    const [first, last] = [this.selection.anchor, this.active].sort((a, b) => a - b);
    this.selection.replace(await this.rows.range(first, last));
  }

  onClick(event) {
    const row = this.rowOf(event);
    if (row === undefined || row.track === null || event.target.closest('input')) return;
    const { act, stars } = event.target.closest('[data-act]')?.dataset ?? {};
    const column = event.target.closest('[data-column]')?.dataset.column;
    if (column) this.column = column;
    this.root.focus({ preventScroll: true });
    if (act === 'open') {
      this.on.open(row.track);
      return;
    }
    if (act === 'rate') {
      this.active = row.index;
      this.render();
      this.on.rate(row.track, Number(stars));
      return;
    }
    if (event.shiftKey) {
      void this.extend(row.index);
      return;
    }
    const isAdded = act === 'select' || event.ctrlKey || event.metaKey;
    this.active = row.index;
    if (isAdded) this.selection.toggle(row.track, row.index);
    else this.selection.only(row.track, row.index);
    this.on.moved();
  }

  onDoubleClick(event) {
    const row = this.rowOf(event);
    const column = COLUMNS.find(({ name }) => name === event.target.closest('[data-column]')?.dataset.column);
    if (row?.track && column?.edit) this.edit(row.index, column);
  }

  rowOf(event) {
    const root = event.target.closest('.row');
    return [...this.shown.values()].find((row) => row.root === root);
  }

  edit(index, column) {
    const row = this.shown.get(index);
    if (!row?.track || !column?.edit) return;
    const cell = row.cells[COLUMNS.indexOf(column)];
    void this.on.edit(cell, column, row.track);
  }

  onKey(event) {
    if (event.composedPath()[0].matches?.('input, select, textarea')) return;
    const key = event.ctrlKey || event.metaKey ? `ctrl+${event.key.toLowerCase()}` : event.key;
    const act = this.keys()[key] ?? (/^[0-5]$/.test(key) && this.column === 'rating' ? () => this.on.rate(this.track, Number(key)) : null);
    if (act === null || act === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    act(event);
  }

  keys() {
    const page = Math.max(1, Math.floor(this.body.clientHeight / this.height) - 2);
    const to = (index) => (event) => (event.shiftKey ? void this.extend(index) : this.step(index));
    const end = (this.rows.total ?? 1) - 1;
    return {
      ArrowDown: to(this.active + 1),
      ArrowUp: to(this.active - 1),
      PageDown: to(this.active + page),
      PageUp: to(this.active - page),
      Home: to(0),
      End: to(end),
      ArrowRight: () => this.turn(1),
      ArrowLeft: () => this.turn(-1),
      ' ': () => this.track && this.selection.toggle(this.track, this.active),
      Enter: () => this.track && this.on.open(this.track),
      F2: () => this.edit(this.active, COLUMNS.find(({ name }) => name === this.column)),
      e: () => this.edit(this.active, COLUMNS.find(({ name }) => name === this.column)),
      i: () => this.on.look(),
      'ctrl+a': () => this.on.selectAll(),
      Escape: () => this.selection.clear(),
      Delete: () => this.on.remove(),
    };
  }

  step(index) {
    this.go(index);
    this.selection.anchor = this.active;
  }

  /** Go to the next column that is shown. */
  turn(by) {
    const row = this.shown.get(this.active);
    const seen = COLUMNS.filter((_, i) => row?.cells[i].offsetWidth);
    const place = seen.findIndex(({ name }) => name === this.column);
    this.column = seen[Math.max(0, Math.min(place + by, seen.length - 1))]?.name ?? 'title';
    this.render();
  }
}
