/** The panel that corrects a track beside its player. */

import { h } from '../elements.js';
import { t } from '../language.js';
import { awayWords, connection } from '../player/model/api.js';
import { isShortcut } from '../player/view/keyboard.js';
import { button, setText } from '../player/view/dom.js';
import { Cues } from './cues.js';
import { Rhythm } from './rhythm.js';
import { keyRow, ratingRow, textRow } from './texts.js';

const titles = () => [
  { name: 'title', label: t('Title'), limit: 500 },
  { name: 'artist', label: t('Artist'), limit: 500 },
];
const comment = () => ({ name: 'comment', label: t('Comment'), tag: 'textarea', limit: 4000 });

export class Panel {
  /**
   * @param {Overlay} overlay
   * @param {Commands} commands of the player of this track
   * @param {[string, string][]} keys Camelot codes with their names
   * @param {AbortSignal} signal
   */
  constructor(overlay, commands, keys, signal) {
    this.overlay = overlay;
    this.rhythm = new Rhythm(overlay, () => Math.round(commands.position * 1e6) / 1e6);
    this.cues = new Cues(overlay, commands);
    this.rows = [
      this.rhythm,
      keyRow(overlay, keys),
      this.cues,
      ...titles().map((field) => textRow(overlay, field)),
      ratingRow(overlay),
      textRow(overlay, comment()),
    ];
    this.undo = button({ text: t('Undo the last change'), name: 'reset', onclick: () => overlay.undo() });
    this.status = h('span', { class: 'status', role: 'status' });
    this.alert = h('p', { class: 'message', role: 'alert', hidden: true });
    this.add = button({ text: t('Add to the library'), class: 'primary', onclick: () => overlay.add() });
    this.add.hidden = overlay.job === null;
    this.unknown = h('p', { class: 'unknown', hidden: true }, t('Corrections are kept in the library, and this track is not in it.'), ' ', this.add);
    const [, key, , ...texts] = this.rows;
    this.fields = h('div', { class: 'fields', hidden: true },
      h('div', { class: 'wide' }, this.rhythm.tempo, this.rhythm.grid, this.cues.element),
      h('div', { class: 'narrow' }, key, ...texts),
      h('div', { class: 'foot' }, this.undo, this.status),
    );
    this.element = h('div', { class: 'panel', role: 'region', 'aria-label': t('Corrections') }, this.alert, this.unknown, this.fields);
    overlay.addEventListener('change', () => this.refresh(), { signal });
    connection.addEventListener('change', () => this.refresh(), { signal });
    commands.session.addEventListener('mix', () => overlay.track && this.cues.showLoop(), { signal });
    document.addEventListener('keydown', (event) => this.#onKey(event), { signal });
    this.refresh();
  }

  #onKey(event) {
    if (event.key.toLowerCase() !== 't' || event.repeat || !isShortcut(event)) return;
    if (this.overlay.track === null || this.element.offsetParent === null) return;
    event.preventDefault();
    this.rhythm.tap(event.timeStamp);
  }

  refresh() {
    const { track, message, isSaving, isUnknown } = this.overlay;
    const bad = message?.isBad ? message.text : connection.isAway ? awayWords() : '';
    this.alert.hidden = bad === '';
    setText(this.alert, bad);
    this.unknown.hidden = !isUnknown;
    this.fields.hidden = track === null;
    if (track === null) return;
    setText(this.status, isSaving ? t('Saving …') : message?.isBad === false ? message.text : '');
    this.undo.disabled = track.corrections.n_undo === 0;
    for (const row of this.rows) row.refresh();
  }
}
