/** The small view of what plays, at the bottom of every page. */

import { engine } from '../engine/engine.js';
import { awayWords, connection } from '../model/api.js';
import { Commands } from '../model/commands.js';
import { dbToPosition, positionToDb } from '../model/mix.js';
import { onScreen } from '../model/onscreen.js';
import { fetchPeaks } from '../model/peaks.js';
import { preferences } from '../model/preferences.js';
import { h } from '../../elements.js';
import { t } from '../../language.js';
import { button, setIcon, setPressed, setText } from './dom.js';
import { clock, decibels } from './format.js';
import { Overview } from './overview.js';
import { slider } from './slider.js';
import { readTheme } from './theme.js';

const THEME_CHECK_MS = 700;

export class DockView {
  /** @param {(session) => string} hrefOf the address of a track's page */
  constructor(hrefOf) {
    this.hrefOf = hrefOf;
    this.abort = new AbortController();
    this.element = h('div', { class: 'dock', role: 'region', 'aria-label': t('Player'), hidden: true });
    this.session = null;
    this.pending = 0;
    const refresh = () => this.refresh();
    const { signal } = this.abort;
    engine.addEventListener('state', refresh, { signal });
    preferences.addEventListener('change', refresh, { signal });
    onScreen.addEventListener('change', refresh, { signal });
    this.resize = new ResizeObserver(() => this.#draw());
    this.resize.observe(this.element);
    this.themeCheck = setInterval(() => {
      if (!this.element.hidden && readTheme(this.element).id !== this.theme) this.#draw();
    }, THEME_CHECK_MS);
  }

  close() {
    this.abort.abort();
    this.resize.disconnect();
    clearInterval(this.themeCheck);
    cancelAnimationFrame(this.pending);
    this.element.remove();
  }

  refresh() {
    const { session } = engine;
    this.element.hidden = session === null || onScreen.has(session) || !this.#wasHeard(session);
    // The page has room for the dock only while there is one (ui/style.py).
    this.element.getRootNode().host?.toggleAttribute('data-playing', !this.element.hidden);
    if (this.element.hidden) return;
    if (session !== this.session) this.#show(session);
    const isRunning = engine.isRunning;
    setIcon(this.play, isRunning ? 'pause' : 'play');
    this.play.setAttribute('aria-label', isRunning ? t('Pause') : t('Play'));
    const { loop } = session.mix;
    this.loop.hidden = loop === null;
    setPressed(this.loop, loop?.is_on === true);
    this.overview.showLoop(loop);
    this.volume.refresh();
    this.#wake();
  }

  /** A track that was only looked at needs no dock. */
  #wasHeard(session) {
    if (engine.isRunning) session.wasHeard = true;
    return session.wasHeard === true;
  }

  #show(session) {
    this.session = session;
    const commands = new Commands(session);
    const { track } = session;
    this.play = button({ name: 'play', label: t('Play'), class: 'play', onclick: () => void commands.toggle() });
    this.time = h('span', { class: 'clock' });
    this.overview = new Overview(track, (frame) => commands.seekFrame(frame));
    this.loop = button({ name: 'loop', label: t('Loop'), onclick: () => commands.toggleLoop() });
    this.volume = slider({
      label: t('Master volume'),
      min: 0,
      max: 1,
      step: 0.02,
      initial: dbToPosition(0),
      read: () => dbToPosition(preferences.get('master_db')),
      write: (position) => preferences.set('master_db', positionToDb(position) ?? -60),
      text: (position) => decibels(positionToDb(position)),
    });
    const { signal } = this.abort;
    session.addEventListener('mix', () => this.refresh(), { signal });
    session.addEventListener('facts', () => this.session === session && this.#showTitle(), { signal });
    this.title = h('a', { class: 'title', href: this.hrefOf(session) }, h('b'), h('span'));
    this.#showTitle();
    this.element.replaceChildren(
      this.play,
      this.title,
      this.overview.element,
      this.time,
      this.loop,
      this.volume,
      button({ name: 'close', label: t('Stop and close'), class: 'shut', onclick: () => void engine.unload() }),
    );
    const shown = track.original ?? track.lanes[0];
    fetchPeaks(shown, signal).then(
      (peaks) => {
        this.overview.peaks = peaks;
        this.#draw();
      },
      () => {}, // Without a waveform, the bar still shows the place.
    );
  }

  #showTitle() {
    const { title, artist } = this.session.track;
    this.title.title = t('Open {title}', { title: artist ? `${artist} – ${title}` : title });
    const [name, by] = this.title.children;
    setText(name, title);
    setText(by, artist ?? '');
  }

  #draw() {
    if (this.element.hidden || this.session === null) return;
    const theme = readTheme(this.element);
    this.theme = theme.id;
    this.overview.draw(theme);
    this.#wake();
  }

  #wake() {
    if (this.pending === 0) this.pending = requestAnimationFrame(() => this.#frame());
  }

  #frame() {
    this.pending = 0;
    if (engine.session === null || this.element.hidden || document.hidden) return;
    const { track } = this.session;
    this.overview.tick(engine.frame);
    const seconds = engine.frame / track.sampleRate;
    if (connection.isAway) setText(this.time, awayWords());
    else setText(this.time, engine.isBuffering ? t('Buffering …') : `${clock(seconds)} / ${clock(track.durationS)}`);
    if (engine.isRunning) this.#wake();
  }
}
