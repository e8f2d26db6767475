/** Search, filters and order above the table. */

import { h } from '../elements.js';
import { COLUMNS } from './columns.js';

const TYPING_MS = 250;
const STARS = [1, 2, 3, 4, 5];
const ENERGIES = Array.from({ length: 10 }, (_, i) => i + 1);
/** What narrows the search; the rest of a view is its order. */
export const FILTERS = [
  'text', 'key', 'mixes_with', 'tempo_min_bpm', 'tempo_max_bpm', 'energy_min', 'energy_max', 'rating_min', 'vocals', 'doubtful',
];
export const FIRST_VIEW = { sort: 'title', descending: false };

export class Toolbar {
  /**
   * @param {Object} data words, keys (names by Camelot code)
   * @param {Object} view fields of `GET /library/tracks` that are set
   * @param {function(Object)} changed called with the new view
   * @param {Node[]} extra more buttons
   * @param {function(Object)} keep called with the view to keep as a smart collection
   */
  constructor(data, view, { changed, keep, extra }) {
    this.words = data.words;
    this.view = view;
    this.changed = changed;
    this.extra = extra;
    this.keep = keep;
    this.fields = new Map();
    this.build(data);
    this.show();
  }

  build({ words, keys }) {
    this.text = this.field('text', h('input', { type: 'search', class: 'search', placeholder: words.search, 'aria-label': words.search, maxlength: '500' }));
    this.more = h('button', { type: 'button', class: 'action', 'aria-expanded': 'false', onclick: () => this.toggle() });
    this.count = h('span', { class: 'count', 'aria-live': 'polite' });
    this.smart = h('button', { type: 'button', class: 'action', onclick: () => this.keep(this.view) }, words.keepSearch);
    this.key = this.field('key', options(words.anyKey, Object.entries(keys).map(([code, name]) => [code, `${code} · ${name}`])));
    this.isNear = h('input', { type: 'checkbox', onchange: () => this.read() });
    this.sort = options(null, COLUMNS.filter(({ sort }) => sort).map(({ name, sort }) => [sort, words.columns[name]]));
    this.sort.addEventListener('change', () => this.set({ sort: this.sort.value }));
    this.isDescending = h('input', { type: 'checkbox', onchange: () => this.set({ descending: this.isDescending.checked }) });
    this.clear = h('button', { type: 'button', class: 'plain', onclick: () => this.reset() }, words.clearFilters);
    const tempo = ['tempo_min_bpm', 'tempo_max_bpm'].map((name) =>
      this.field(name, h('input', { type: 'number', min: '20', max: '500', step: 'any', 'aria-label': words[name], placeholder: name.includes('min') ? '80' : '180' })),
    );
    const energy = ['energy_min', 'energy_max'].map((name) => {
      const select = this.field(name, options('–', ENERGIES.map((n) => [n, n])));
      select.setAttribute('aria-label', words[name]);
      return select;
    });
    this.filters = h(
      'div',
      { class: 'filters' },
      group(words.columns.tempo_bpm, ...tempo),
      labelled(words.columns.camelot, this.key),
      h('label', { class: 'tick' }, this.isNear, words.near),
      group(words.columns.energy, ...energy),
      labelled(words.columns.rating, this.field('rating_min', options(words.anyRating, STARS.map((n) => [n, '★'.repeat(n)])))),
      labelled(words.vocals, this.field('vocals', options(words.any, [['with', words.sung], ['without', words.instrumental]]))),
      labelled(words.doubt, this.field('doubtful', options(words.any, [['either', words.doubtEither], ['tempo', words.doubtTempo], ['key', words.doubtKey]]))),
      labelled(words.sort, this.sort),
      h('label', { class: 'tick' }, this.isDescending, words.descending),
      this.smart,
      this.clear,
    );
    this.root = h('div', { class: 'toolbar', role: 'search' }, h('div', { class: 'first' }, this.text, this.more, ...this.extra, this.count), this.filters);
  }

  field(name, input) {
    this.fields.set(name, input);
    const isTyped = input.tagName === 'INPUT';
    input.addEventListener(isTyped ? 'input' : 'change', () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.read(), isTyped ? TYPING_MS : 0);
    });
    return input;
  }

  unmount() {
    clearTimeout(this.typing);
  }

  read() {
    const view = { ...this.view };
    for (const name of FILTERS) delete view[name];
    for (const [name, input] of this.fields) {
      const value = input.value.trim();
      if (value !== '' && input.checkValidity()) view[name] = value;
    }
    if (view.key && this.isNear.checked) {
      view.mixes_with = view.key;
      delete view.key;
    }
    if (JSON.stringify(view) !== JSON.stringify(this.view)) this.replace(view);
  }

  set(change) {
    this.replace({ ...this.view, ...change });
  }

  replace(view) {
    this.view = view;
    this.show();
    this.changed(view);
  }

  reset() {
    const view = { ...this.view };
    for (const name of FILTERS) delete view[name];
    this.replace(view);
    this.text.focus();
  }

  get nFilters() {
    return FILTERS.filter((name) => name !== 'text' && this.view[name] !== undefined).length;
  }

  get isFiltered() {
    return FILTERS.some((name) => this.view[name] !== undefined);
  }

  toggle() {
    const isOpen = this.root.classList.toggle('open');
    this.more.setAttribute('aria-expanded', String(isOpen));
  }

  show() {
    const { view, words } = this;
    for (const [name, input] of this.fields) {
      const value = name === 'key' ? (view.key ?? view.mixes_with) : view[name];
      if (input.value.trim() !== String(value ?? '')) input.value = value ?? '';
    }
    if (view.key !== undefined) this.isNear.checked = false;
    else if (view.mixes_with !== undefined) this.isNear.checked = true;
    this.sort.value = view.sort;
    this.isDescending.checked = view.descending;
    this.more.textContent = this.nFilters ? words.filtersOn.replace('{n}', this.nFilters) : words.filters;
    this.clear.hidden = !this.isFiltered;
    this.smart.hidden = !this.isFiltered;
  }

  showCount(total) {
    const text = total === null ? '' : (total === 1 ? this.words.oneTrack : this.words.nTracks).replace('{n}', total.toLocaleString());
    if (this.count.textContent !== text) this.count.textContent = text;
  }
}

/** Return the query of `GET /library/tracks` for a view. */
export function toQuery(view) {
  return new URLSearchParams(Object.entries(view).filter(([, value]) => value !== undefined && value !== '')).toString();
}

function options(none, values) {
  return h(
    'select',
    {},
    ...(none === null ? [] : [h('option', { value: '' }, none)]),
    ...values.map(([value, text]) => h('option', { value: String(value) }, String(text))),
  );
}

function labelled(text, input) {
  input.setAttribute('aria-label', text); // without the texts of its options
  return h('label', { class: 'labelled' }, h('span', {}, text), input);
}

function group(text, first, last) {
  return h('div', { class: 'labelled', role: 'group', 'aria-label': text }, h('span', { 'aria-hidden': 'true' }, text), h('div', { class: 'range' }, first, '–', last));
}
