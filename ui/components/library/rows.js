/** The tracks of a search, fetched page by page as the table shows them. */

const PAGE = 100;
const MAX_PAGES = 80;
const MAX_PAGE = 500;
const RETRY_MS = 2000;

export class Rows {
  /**
   * @param {import('../api.js').Api} api
   * @param {Function} changed called when rows, their number or `refusal` changed
   */
  constructor(api, changed) {
    this.api = api;
    this.changed = changed;
    this.query = '';
    this.generation = 0;
    this.abort = new AbortController();
    this.clear();
  }

  clear() {
    this.pages = new Map();
    this.loading = new Map();
    this.total = null;
    this.refusal = null;
  }

  /** Search anew. `query` is that of `GET /library/tracks`, without `limit` and `offset`. */
  search(query) {
    this.query = query;
    this.abort.abort();
    this.abort = new AbortController();
    clearTimeout(this.retry);
    this.generation += 1;
    const shown = this.pages;
    this.clear();
    this.stale = shown; // drawn until the first page is there, so that nothing flickers
    void this.load(0);
  }

  at(index) {
    const pages = this.total === null ? this.stale : this.pages;
    return pages?.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  /** Fetch what is missing of rows `first` to `last`. */
  want(first, last) {
    if (this.total === null) return;
    const end = Math.min(last, this.total - 1);
    for (let page = Math.floor(first / PAGE); page <= Math.floor(end / PAGE); page++) {
      if (!this.pages.has(page)) void this.load(page);
    }
  }

  /** Return rows `first` to `last`, fetched where needed. */
  async range(first, last) {
    const found = [];
    for (let page = Math.floor(first / PAGE); page <= Math.floor(last / PAGE); page++) {
      if (!this.pages.has(page)) await this.load(page);
      found.push(...(this.pages.get(page) ?? []));
    }
    const start = first - Math.floor(first / PAGE) * PAGE;
    return found.slice(start, start + last - first + 1);
  }

  /** Return every row of the search, without keeping them. */
  async all() {
    const found = [];
    while (true) {
      const page = await this.api.ask('GET', this.path(found.length, MAX_PAGE));
      found.push(...page.tracks);
      if (page.tracks.length < MAX_PAGE) return found;
    }
  }

  /** Put a changed track in its place. */
  update(line) {
    for (const tracks of this.pages.values()) {
      const place = tracks.findIndex(({ id }) => id === line.id);
      if (place < 0) continue;
      const names = Object.keys(tracks[place]);
      tracks[place] = Object.fromEntries(names.map((name) => [name, line[name]]));
    }
    this.changed();
  }

  stop() {
    this.abort.abort();
    clearTimeout(this.retry);
  }

  path(offset, limit) {
    return `/library/tracks?${this.query}${this.query && '&'}limit=${limit}&offset=${offset}`;
  }

  load(page) {
    const known = this.loading.get(page);
    if (known) return known;
    const loading = this.fetch(page, this.generation).finally(() => {
      if (this.loading.get(page) === loading) this.loading.delete(page);
    });
    this.loading.set(page, loading);
    return loading;
  }

  async fetch(page, generation) {
    const { signal } = this.abort;
    try {
      const answer = await this.api.ask('GET', this.path(page * PAGE, PAGE), { signal });
      if (generation !== this.generation) return;
      this.pages.set(page, answer.tracks);
      for (const old of this.pages.keys()) {
        if (this.pages.size <= MAX_PAGES) break;
        if (old !== page) this.pages.delete(old);
      }
      this.total = answer.total;
      this.refusal = null;
      this.stale = null;
    } catch (error) {
      if (signal.aborted) return;
      this.refusal = error;
      if (error.isAway) this.retry = setTimeout(() => void this.load(page), RETRY_MS);
      else this.total ??= 0;
    }
    this.changed();
  }
}
