/** A lane's controls: name, mute, solo, fader, pan and meter. */

import { dbToPosition, positionToDb } from '../model/mix.js';
import { FLOOR_DB } from '../engine/meter.js';
import { h } from '../../elements.js';
import { t } from '../../language.js';
import { button, setPressed, setText } from './dom.js';
import { decibels, panText } from './format.js';
import { slider } from './slider.js';

const ZERO_DB = dbToPosition(0);
const CENTRE_SNAP = 0.04;

export class Strip {
  /** @param {number | null} digit the key that mutes the lane */
  constructor(session, lane, colour, digit) {
    this.session = session;
    this.label = lane.label;
    const { title } = lane;
    const key = digit === null ? '' : ` (${digit})`;
    this.mute = button({
      text: 'M',
      class: 'mute',
      'aria-label': t('Mute {title}', { title }),
      title: t('Mute') + key,
      onclick: () => session.toggleMute(lane.label),
    });
    this.solo = button({
      text: 'S',
      class: 'solo',
      'aria-label': t('Solo {title}', { title }),
      title: t('Solo{key}, Ctrl: this one only', { key: key && ` (Shift+${digit})` }),
      onclick: (event) =>
        session.toggleSolo(lane.label, { isExclusive: event.ctrlKey || event.metaKey }),
    });
    this.fader = slider({
      label: t('Volume of {title}', { title }),
      className: 'fader',
      min: 0,
      max: 1,
      step: 0.02,
      initial: ZERO_DB,
      read: () => dbToPosition(this.mix.gain_db),
      write: (position) => {
        const near = Math.abs(position - ZERO_DB) < 0.008;
        session.changeLane(lane.label, (mix) => (mix.gain_db = near ? 0 : positionToDb(position)));
      },
      text: (position) => decibels(positionToDb(position)),
    });
    this.pan = slider({
      label: t('Pan of {title}', { title }),
      className: 'pan',
      min: -1,
      max: 1,
      step: 0.05,
      initial: 0,
      read: () => this.mix.pan,
      write: (place) => {
        const near = Math.abs(place) < CENTRE_SNAP;
        session.changeLane(lane.label, (mix) => (mix.pan = near ? 0 : place));
      },
      text: panText,
    });
    this.level = h('output', { class: 'level', 'aria-hidden': 'true' });
    this.meter = meterBar();
    const download = lane.downloadUrl
      ? h('a', { href: lane.downloadUrl, class: 'save', download: true, 'aria-label': t('Download {title}', { title }), title: t('Download the file') })
      : null;
    if (download !== null) download.append(...button({ name: 'save' }).childNodes);
    this.element = h(
      'div',
      { class: 'strip', role: 'toolbar', 'aria-label': title },
      h('span', { class: 'name', title }, title),
      this.mute,
      this.solo,
      download,
      this.fader,
      this.level,
      this.pan,
      this.meter,
    );
    this.element.style.setProperty('--stem', colour);
  }

  get mix() {
    return this.session.mix.lanes[this.label];
  }

  refresh() {
    setPressed(this.mute, this.mix.mute);
    setPressed(this.solo, this.mix.solo);
    setText(this.level, decibels(this.mix.gain_db));
    this.fader.refresh();
    this.pan.refresh();
  }
}

/** A level bar: a cover over its colours, and a mark for the held peak. */
export function meterBar() {
  return h('span', { class: 'meter', 'aria-hidden': 'true' }, h('i'), h('b'));
}

/** Show a level, or nothing (null). */
export function showLevel(bar, reading) {
  const place = (db) => Math.max(0, 1 - db / FLOOR_DB);
  const [cover, mark] = bar.children;
  const [level, held] = reading === null ? [0, 0] : [place(reading.level), place(reading.held)];
  cover.style.transform = `scaleX(${(1 - level).toFixed(3)})`;
  mark.style.transform = `translateX(${(100 * held).toFixed(1)}%)`;
}
