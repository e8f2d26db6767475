/** What a listener chose once for all tracks; stored in the browser. */

const KEY = 'stemcrate.player';
const DEFAULTS = { master_db: 0, click: false, count_in: false, view: 'waveform', other_lanes: false, visualiser: false };

class Preferences extends EventTarget {
  constructor() {
    super();
    this.values = { ...DEFAULTS };
    try {
      const stored = JSON.parse(localStorage.getItem(KEY)) ?? {};
      for (const name of Object.keys(DEFAULTS)) {
        if (typeof stored[name] === typeof DEFAULTS[name]) this.values[name] = stored[name];
      }
    } catch {
      // Nothing is stored, or not by this version.
    }
  }

  get(name) {
    return this.values[name];
  }

  set(name, value) {
    this.values[name] = value;
    try {
      localStorage.setItem(KEY, JSON.stringify(this.values));
    } catch {
      // Without storage, the choice lives as long as the page.
    }
    this.dispatchEvent(new Event('change'));
  }
}

export const preferences = new Preferences();
