/** The drop zone: takes files and shows each with its progress. */

import { h } from '../elements.js';
import { files } from './files.js';

const SHOWN = ['sending', 'retrying', 'paused', 'waiting'];
const mounted = new WeakMap();

/**
 * Data: `url`, `maxBytes`, `maxSize` (in words), `maxFiles`, `words`, `taken` (ids of uploads that
 * became a job), `refusals` (reasons by file name) with their `refusalsOf` (a number that
 * changes). State: `files`, each with `id`, `name`, `bytes`, `seconds`, `isDone`.
 */
export default function mount(component) {
  const { parentElement } = component;
  let zone = mounted.get(parentElement);
  if (zone === undefined) {
    zone = new Zone(parentElement);
    mounted.set(parentElement, zone);
  }
  zone.update(component);
  return zone.unmount;
}

class Zone {
  constructor(parent) {
    this.parent = parent;
    this.said = null;
    this.refusalsOf = 0;
    this.rows = new Map();
    this.render = this.render.bind(this);
    this.onChange = this.onChange.bind(this);
    this.unmount = this.unmount.bind(this);
    this.input = h('input', { type: 'file', multiple: true, class: 'input', tabindex: '-1', onchange: () => this.chosen() });
    this.title = h('b');
    this.hint = h('small');
    this.button = h('button', { type: 'button', class: 'choose', onclick: () => this.input.click() });
    this.area = h('div', { class: 'area' }, this.title, this.button, this.hint, this.input);
    this.list = h('ul', { class: 'files' });
    this.status = h('p', { class: 'status', role: 'status', 'aria-live': 'polite' });
    this.root = h('div', { class: 'zone' }, this.area, this.list, this.status);
    this.root.addEventListener('dragover', (event) => this.over(event, true));
    this.root.addEventListener('dragleave', (event) => this.over(event, false));
    this.root.addEventListener('drop', (event) => this.dropped(event));
    parent.append(this.root);
    files.addEventListener('change', this.onChange);
    files.addEventListener('progress', this.render);
  }

  update({ data, setStateValue }) {
    this.set = setStateValue;
    this.words = data.words;
    files.words = data.words;
    files.limits = { url: data.url, maxBytes: data.maxBytes, maxFiles: data.maxFiles, maxSize: data.maxSize };
    this.title.textContent = data.words.title;
    this.button.textContent = data.words.choose;
    this.hint.textContent = data.words.hint;
    this.input.setAttribute('aria-label', data.words.title);
    if (data.refusalsOf !== this.refusalsOf) {
      this.refusalsOf = data.refusalsOf;
      files.refuse(data.refusals);
    }
    files.forget(data.taken);
    void files.check();
    this.onChange();
  }

  unmount() {
    files.removeEventListener('change', this.onChange);
    files.removeEventListener('progress', this.render);
    mounted.delete(this.parent);
    this.root.remove();
  }

  chosen() {
    files.add(this.input.files);
    this.input.value = '';
  }

  over(event, isOver) {
    event.preventDefault();
    this.root.classList.toggle('over', isOver);
  }

  dropped(event) {
    this.over(event, false);
    files.add(event.dataTransfer.files);
  }

  /** Tell Python when the list or what has arrived changed, never the progress. */
  onChange() {
    const list = files.list();
    const said = JSON.stringify(list);
    if (said !== this.said) {
      this.said = said;
      this.set('files', list);
    }
    this.render();
  }

  render() {
    const entries = files.entries;
    this.root.classList.toggle('filled', entries.length > 0);
    for (const [entry, row] of this.rows) {
      if (entries.includes(entry)) continue;
      row.root.remove();
      this.rows.delete(entry);
    }
    for (const entry of entries) {
      if (!this.rows.has(entry)) {
        const row = new Row(entry, this.words);
        this.rows.set(entry, row);
        this.list.append(row.root);
      }
      this.rows.get(entry).render(this.words);
    }
    const nDone = entries.filter((entry) => entry.state === 'done').length;
    const nWanted = entries.filter((entry) => entry.state !== 'refused').length;
    const text = nWanted > 0 ? this.words.arrived.replace('{done}', nDone).replace('{all}', nWanted) : '';
    if (this.status.textContent !== text) this.status.textContent = text;
  }
}

class Row {
  constructor(entry, words) {
    this.entry = entry;
    this.name = h('span', { class: 'name' }, entry.name);
    this.state = h('span', { class: 'state' });
    this.toggle = h('button', { type: 'button', class: 'action', onclick: () => this.onToggle() });
    this.remove = h(
      'button',
      { type: 'button', class: 'action', 'aria-label': `${words.remove}: ${entry.name}`, title: words.remove, onclick: () => files.remove(entry) },
      icon('M6 6 18 18M18 6 6 18'),
    );
    this.bar = h('progress', { max: '1', 'aria-label': entry.name });
    this.error = h('p', { class: 'error' });
    this.root = h(
      'li',
      {},
      h('div', { class: 'line' }, this.name, this.state, this.toggle, this.remove),
      this.bar,
      this.error,
    );
  }

  onToggle() {
    if (this.entry.state === 'paused') files.resume(this.entry);
    else files.pause(this.entry);
  }

  render(words) {
    const { entry } = this;
    const { state } = entry;
    const fraction = entry.bytes > 0 ? entry.sent / entry.bytes : 0;
    this.root.dataset.state = state;
    this.state.textContent = describe(entry, state, fraction, words);
    this.bar.hidden = !SHOWN.includes(state);
    this.bar.value = fraction;
    this.error.textContent = entry.error || (state === 'lost' ? words.lost : '');
    this.error.hidden = this.error.textContent === '';
    const isPaused = state === 'paused';
    this.toggle.hidden = !SHOWN.includes(state);
    const label = isPaused ? words.resume : words.pause;
    if (this.toggle.title !== label) {
      this.toggle.title = label;
      this.toggle.setAttribute('aria-label', `${label}: ${entry.name}`);
      this.toggle.replaceChildren(icon(isPaused ? 'M8 5v14l11-7z' : 'M8 5v14M16 5v14'));
    }
  }
}

function describe(entry, state, fraction, words) {
  const size = formatSize(entry.bytes);
  if (state === 'sending') return `${Math.floor(100 * fraction)} % · ${size}`;
  if (state === 'done') return entry.seconds === null ? size : `${formatTime(entry.seconds)} · ${size}`;
  return `${words[state]} · ${size}`;
}

function formatSize(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function formatTime(seconds) {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;
}

function icon(path) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const line = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  line.setAttribute('d', path);
  svg.append(line);
  return svg;
}
