/** Export of a set for DJ programs: target system and folder, formats, the DJ pack. */

import { h } from '../elements.js';

const KEPT = 'stemcrate.export';
const PACK = 'pack';
const FREE_AFTER_MS = 60_000;
const CHECKED_BY = 'm3u8';

export class ExportPanel {
  /**
   * @param {Object} parts
   * @param {import('../api.js').Api} parts.api
   * @param {function(): Object} parts.view the set as it is saved
   * @param {Object} parts.data words, formats, systems, stemFormats
   */
  constructor({ api, view, data }) {
    Object.assign(this, { api, view, data });
    const { words } = data;
    const kept = readKept();
    this.system = h('select', { name: 'system' }, ...data.systems.map(({ name, label }) => h('option', { value: name, selected: name === kept.system }, label)));
    this.target = h('input', { type: 'text', name: 'target', value: kept.target ?? '', spellcheck: 'false', autocomplete: 'off' });
    this.stems = h('select', { name: 'stem_format' }, ...data.stemFormats.map(([value, text]) => h('option', { value }, text)));
    this.system.addEventListener('change', () => this.onChange());
    this.target.addEventListener('input', () => this.onChange());
    this.status = h('div', { class: 'exported', role: 'status' });
    const buttons = data.formats.map(({ name, label, needs_target: needs }) =>
      h('button', { type: 'button', class: `action ${name === PACK ? 'primary' : ''}`, 'data-format': name, onclick: () => void this.export(name, label, needs) }, label),
    );
    this.root = h(
      'section',
      { class: 'panel export', 'aria-label': words.exportSet },
      h('h2', {}, words.exportSet),
      h('p', { class: 'note' }, words.exportHelp),
      h('div', { class: 'fields' }, labelled(words.system, this.system), labelled(words.folder, this.target, 'wide'), labelled(words.stemFormat, this.stems)),
      h('div', { class: 'actions' }, ...buttons),
      this.status,
    );
    this.onChange();
  }

  onChange() {
    const { name, example } = this.data.systems.find((one) => one.name === this.system.value);
    this.target.placeholder = example;
    keep({ system: name, target: this.target.value });
  }

  query() {
    const query = new URLSearchParams({ stem_format: this.stems.value });
    const target = this.target.value.trim();
    if (target) {
      query.set('target', target);
      query.set('system', this.system.value);
    }
    return query;
  }

  async export(name, label, needsTarget) {
    const { words } = this.data;
    if (needsTarget && !this.target.value.trim()) {
      this.tell(words.needsFolder.replace('{format}', label), [], true);
      this.target.focus();
      return;
    }
    this.tell(words.writing.replace('{format}', label));
    try {
      // A pack of gigabytes goes to the disk by itself; a small format tells beforehand what is wrong.
      const got = await this.get(name === PACK ? CHECKED_BY : name);
      if (name === PACK) saveAs(this.api.url(`${this.view().exports[PACK]}?${this.query()}`), '', this.root);
      else this.saveBytes(got);
      const told = name === PACK ? words.packStarted : words.exported.replace('{name}', got.name);
      this.tell(told, got.warnings);
    } catch (refusal) {
      this.tell(refusal.words ?? String(refusal), [], true);
    }
  }

  /** Get an export: its bytes, file name, and what the format could not hold. */
  async get(name) {
    const answer = await this.api.send('GET', `${this.view().exports[name]}?${this.query()}`);
    return {
      bytes: await answer.blob(),
      name: fileName(answer.headers.get('Content-Disposition')) ?? name,
      warnings: JSON.parse(answer.headers.get('X-Stemcrate-Warnings') ?? '[]'),
    };
  }

  saveBytes({ bytes, name }) {
    const url = URL.createObjectURL(bytes);
    saveAs(url, name, this.root);
    setTimeout(() => URL.revokeObjectURL(url), FREE_AFTER_MS);
  }

  tell(text, warnings = [], isTrouble = false) {
    this.status.setAttribute('role', isTrouble ? 'alert' : 'status');
    this.status.classList.toggle('trouble', isTrouble);
    this.status.replaceChildren(h('p', {}, text), ...(warnings.length ? [h('ul', {}, ...warnings.map((warning) => h('li', {}, warning)))] : []));
  }
}

export function labelled(text, input, kind = '') {
  input.setAttribute('aria-label', text); // without the texts of its options
  return h('label', { class: `labelled ${kind}` }, h('span', {}, text), input);
}

function saveAs(href, name, root) {
  const link = h('a', { href, download: name });
  root.append(link);
  link.click();
  link.remove();
}

/** The file name of a `Content-Disposition` header (RFC 6266), null if it names none. */
function fileName(header) {
  const found = header?.match(/filename\*=UTF-8''([^;]+)/);
  return found ? decodeURIComponent(found[1]) : null;
}

function readKept() {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) ?? {};
  } catch {
    return {};
  }
}

function keep(change) {
  try {
    localStorage.setItem(KEPT, JSON.stringify(change));
  } catch {
    // A browser that keeps nothing asks again next time.
  }
}
