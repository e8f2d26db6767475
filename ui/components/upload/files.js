/**
 * The files that this tab sends or has sent. They live as long as the tab: a page of the workbench
 * that is left and opened again shows them as they are, and transfers go on meanwhile.
 */

import { Transfer } from './transfer.js';

const KEPT = 'stemcrate.uploads';
const AT_ONCE = 2;
const NO_AUDIO = /^(image|text|font|model)\/|^application\/(pdf|zip|json|xml|gzip|x-7z|vnd\.(ms|rar))/;

/**
 * A file in the list: `name`, `bytes`, `seconds` (null: unknown), `transfer` (null: reloaded),
 * `file` (null: not chosen again since).
 */
class Entry {
  constructor(name, bytes, modified) {
    this.name = name;
    this.bytes = bytes;
    this.modified = modified;
    this.seconds = null;
    this.transfer = null;
    this.file = null;
    this.id = null;
    this.isDone = false;
    this.error = '';
  }

  /** `lost`: the page was reloaded, and the browser has let go of the file. */
  get state() {
    if (this.error !== '') return 'refused';
    if (this.isDone) return 'done';
    return this.transfer === null ? 'lost' : this.transfer.state;
  }

  get sent() {
    if (this.isDone) return this.bytes;
    return this.transfer?.sent ?? 0;
  }

  isOf(file) {
    return file.name === this.name && file.size === this.bytes && file.lastModified === this.modified;
  }
}

export class Files extends EventTarget {
  constructor() {
    super();
    this.limits = { url: '/api/uploads', maxBytes: Infinity, maxFiles: Infinity };
    this.words = {};
    this.entries = restore();
    this.isChecked = false;
  }

  /** Take files that were dropped or chosen. */
  add(files) {
    for (const file of files) {
      const known = this.entries.find((entry) => entry.isOf(file));
      if (known !== undefined && known.state !== 'lost') {
        known.file = file; // in case that the API no longer has it
        continue;
      }
      const entry = known ?? new Entry(file.name, file.size, file.lastModified);
      if (known === undefined) this.entries.push(entry);
      const refusal = known === undefined ? this.refusalOf(file) : '';
      if (refusal !== '') {
        entry.error = refusal;
        continue;
      }
      this.send(entry, file);
    }
    this.advance();
    this.tell();
  }

  send(entry, file) {
    entry.transfer = new Transfer(file, this.limits.url, entry.id, () => this.changed(entry));
    void this.measure(entry, file);
  }

  /** Once after a reload: drop complete uploads that a job has taken, or that have expired. */
  async check() {
    if (this.isChecked) return;
    this.isChecked = true;
    const restored = this.entries.filter((entry) => entry.isDone && entry.transfer === null);
    await Promise.all(restored.map((entry) => this.checkOne(entry)));
    this.advance();
    this.tell();
  }

  async checkOne(entry) {
    const headers = { 'Tus-Resumable': '1.0.0' };
    const url = `${this.limits.url}/${entry.id}`;
    const answer = await fetch(url, { method: 'HEAD', headers }).catch(() => null);
    if (answer?.status !== 404) return;
    if (entry.file === null) {
      this.entries = this.entries.filter((other) => other !== entry);
      return;
    }
    Object.assign(entry, { id: null, isDone: false });
    this.send(entry, entry.file);
  }

  /** Return why a file cannot be used, as far as can be seen before it is sent. */
  refusalOf(file) {
    const { maxBytes, maxFiles, maxSize } = this.limits;
    const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
    if (file.size === 0) return this.words.empty;
    if (file.size > maxBytes) return fill(this.words.tooLarge, { limit: maxSize });
    if (NO_AUDIO.test(file.type)) return this.words.noAudio;
    const nTaken = this.entries.filter((entry) => entry.error === '').length;
    return nTaken > maxFiles ? fill(this.words.tooMany, { limit: maxFiles }) : '';
  }

  remove(entry) {
    entry.transfer?.discard();
    if (entry.transfer === null && entry.id !== null) {
      const headers = { 'Tus-Resumable': '1.0.0' };
      fetch(`${this.limits.url}/${entry.id}`, { method: 'DELETE', headers }).catch(() => {});
    }
    this.entries = this.entries.filter((other) => other !== entry);
    this.advance();
    this.tell();
  }

  /** Forget the uploads that a job has taken. */
  forget(ids) {
    const taken = new Set(ids);
    const rest = this.entries.filter((entry) => !taken.has(entry.id));
    if (rest.length === this.entries.length) return;
    this.entries = rest;
    this.tell();
  }

  /** Show the API's refusals beside their files. */
  refuse(byName) {
    for (const entry of this.entries) entry.error = byName[entry.name] ?? entry.error;
    this.tell();
  }

  pause(entry) {
    entry.transfer.pause();
    this.advance();
  }

  resume(entry) {
    entry.transfer.resume();
    this.advance();
  }

  /** The files for Python: what a job can be made of. */
  list() {
    return this.entries
      .filter((entry) => entry.state !== 'refused')
      .map(({ id, name, bytes, seconds, isDone }) => ({ id, name, bytes, seconds, isDone }));
  }

  advance() {
    const transfers = this.entries.map((entry) => entry.transfer).filter((t) => t !== null);
    let nFree = AT_ONCE - transfers.filter((t) => t.isActive && t.state !== 'paused').length;
    for (const transfer of transfers) {
      if (nFree <= 0) break;
      if (transfer.state !== 'waiting' || transfer.isActive) continue;
      nFree -= 1;
      void transfer.run().then(() => this.advance());
    }
  }

  changed(entry) {
    const { transfer } = entry;
    const isNews = entry.id !== transfer.id || transfer.state === 'done' || transfer.state === 'refused';
    entry.id = transfer.id;
    entry.isDone = transfer.state === 'done';
    if (transfer.state === 'refused') entry.error = transfer.reason;
    if (isNews) this.tell();
    else this.dispatchEvent(new Event('progress'));
  }

  tell() {
    keep(this.entries);
    this.dispatchEvent(new Event('change'));
  }

  async measure(entry, file) {
    const audio = new Audio();
    audio.preload = 'metadata';
    audio.src = URL.createObjectURL(file);
    await new Promise((resolve) => {
      audio.onloadedmetadata = audio.onerror = resolve;
    });
    URL.revokeObjectURL(audio.src);
    if (Number.isFinite(audio.duration)) {
      entry.seconds = audio.duration;
      this.tell();
    }
  }
}

/** After a reload: complete uploads are still of use, others need their file again. */
function restore() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? '[]').map((kept) =>
      Object.assign(new Entry(kept.name, kept.bytes, kept.modified), kept),
    );
  } catch {
    return [];
  }
}

function keep(entries) {
  const kept = entries
    .filter((entry) => entry.id !== null && entry.error === '')
    .map(({ name, bytes, modified, seconds, id, isDone }) => ({ name, bytes, modified, seconds, id, isDone }));
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(kept));
  } catch {
    // Without storage, a reload forgets the files.
  }
}

export const files = new Files();
