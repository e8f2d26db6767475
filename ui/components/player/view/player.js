/** The big view of a track: transport, ruler, lanes and overview over one session. */

import { engine } from '../engine/engine.js';
import { connection } from '../model/api.js';
import { Commands } from '../model/commands.js';
import { onScreen } from '../model/onscreen.js';
import { preferences } from '../model/preferences.js';
import { h } from '../../elements.js';
import { t } from '../../language.js';
import { button } from './dom.js';
import { clock } from './format.js';
import { onRuler, onWaves } from './gestures.js';
import { helpDialog } from './help.js';
import { listen } from './keyboard.js';
import { LaneView } from './lane.js';
import { LoopEdges } from './loop.js';
import { Overview } from './overview.js';
import { makeRoving } from './roving.js';
import { drawChords, drawScale, drawSections } from './ruler.js';
import { showLevel } from './strip.js';
import { readTheme } from './theme.js';
import { Transport } from './transport.js';
import { Viewport } from './viewport.js';
import { Visualiser, wantsLessMotion } from './visualiser.js';

const ORDER = ['vocals', 'drums', 'bass', 'guitar', 'piano', 'other', 'accompaniment', 'residual'];
const THEME_CHECK_MS = 700;
/** Meters move this often; they read 46 ms at once, so no peak is missed. */
const METER_MS = 40;

export class PlayerView {
  /** @param {(label: string) => string} colourOf the colour of a lane, `#rrggbb` */
  constructor(session, colourOf) {
    this.session = session;
    this.track = session.track;
    this.colourOf = colourOf;
    this.commands = new Commands(session);
    this.viewport = new Viewport(this.track.frames);
    this.abort = new AbortController();
    this.pending = 0;
    this.meteredAt = 0;
    this.settlesAt = 0;
    this.isStale = true;
    this.theme = null;
    this.#build();
    this.#listen();
    this.#showFacts();
    onScreen.add(session);
    for (const lane of this.lanes) if (!lane.isOther) void lane.load();
    void this.prefetch();
  }

  /** Let the first seconds be here when play is pressed. */
  async prefetch() {
    if (!engine.isRunning) await engine.load(this.session);
  }

  close() {
    this.abort.abort();
    this.resize.disconnect();
    clearInterval(this.themeCheck);
    cancelAnimationFrame(this.pending);
    for (const lane of this.lanes) lane.close();
    onScreen.remove(this.session);
    this.element.remove();
  }

  #build() {
    const { track, session, commands, viewport } = this;
    this.help = helpDialog();
    this.transport = new Transport(commands, viewport, () => this.help.showModal());
    this.loopEdges = new LoopEdges(commands, viewport);
    this.visualiser = new Visualiser(track, this.colourOf);
    this.overview = new Overview(track, (frame) => commands.seekFrame(frame), viewport);
    this.lanes = sortLanes(track).map((lane, i) => {
      const digit = i < 9 ? i + 1 : null;
      const view = new LaneView(session, lane, this.colourOf(lane.label), digit, () => this.#loaded());
      view.isOther = lane.role !== 'stem' && lane.role !== 'original';
      return view;
    });
    const [main, others] = [false, true].map((isOther) => this.lanes.filter((l) => l.isOther === isOther));
    this.others = h('div', { class: 'others' }, ...others.map((lane) => lane.element));
    this.more = button({
      text: '',
      class: 'more',
      'aria-expanded': 'false',
      onclick: () => preferences.set('other_lanes', !preferences.get('other_lanes')),
    });
    this.more.hidden = others.length === 0;
    this.sections = h('canvas', { class: 'sections', 'aria-hidden': 'true' });
    this.scale = h('canvas', { class: 'scale', 'aria-hidden': 'true' });
    this.chords = h('canvas', { class: 'chords', 'aria-hidden': 'true' });
    this.rulerCell = h('div', { class: 'cell ruler' },
      this.sections, this.scale, this.chords, ...this.loopEdges.edges,
    );
    this.playhead = h('span', { class: 'playhead' });
    this.overlay = h('div', { class: 'overlay' }, this.loopEdges.area, this.playhead);
    Object.entries({
      role: 'slider',
      tabindex: 0,
      'aria-label': t('Position'),
      'aria-valuemin': 0,
      'aria-valuemax': Math.round(track.durationS),
    }).forEach(([name, value]) => this.overview.element.setAttribute(name, value));
    this.board = h('div', { class: 'board' },
      h('div', { class: 'lane rulers' }, h('div', { class: 'strip legend' }, this.transport.view, h('span', { class: 'row' }, this.transport.zoom, this.transport.help)), this.rulerCell),
      ...main.map((lane) => lane.element),
      this.more,
      this.others,
      this.overlay,
    );
    const whole = h('div', { class: 'lane whole' }, h('div', { class: 'strip legend' }, h('span', {}, t('Overview'))), h('div', { class: 'cell' }, this.overview.element));
    this.element = h('div', { class: 'player', role: 'region' }, this.transport.element, this.visualiser.element, this.board, whole, this.help);
    makeRoving(this.lanes.map((lane) => lane.strip.element));
  }

  #listen() {
    const { signal } = this.abort;
    const { commands, viewport } = this;
    const seconds = (frame) => frame / this.track.sampleRate;
    const target = {
      viewport,
      seek: (frame) => commands.seekFrame(frame),
      loop: (from, to, isFree) => commands.setLoop(seconds(from), seconds(to), { isFree }),
    };
    for (const lane of this.lanes) onWaves(lane.cell, target);
    onRuler(this.rulerCell, target);
    this.rulerCell.addEventListener('dblclick', (event) => this.#loopSection(event));
    const refresh = () => this.refresh();
    this.session.addEventListener('mix', refresh, { signal });
    this.session.addEventListener('facts', () => this.#showFacts(), { signal });
    engine.addEventListener('state', refresh, { signal });
    preferences.addEventListener('change', refresh, { signal });
    connection.addEventListener('change', refresh, { signal });
    viewport.addEventListener('change', () => this.#redraw(), { signal });
    document.addEventListener('visibilitychange', () => this.#wake(), { signal });
    this.resize = new ResizeObserver(() => {
      viewport.setWidth(this.rulerCell.clientWidth);
      this.#redraw();
    });
    this.resize.observe(this.board);
    this.themeCheck = setInterval(() => {
      if (readTheme(this.element).id !== this.theme?.id) this.#redraw();
    }, THEME_CHECK_MS);
    listen(this.#actions(), signal);
  }

  /** Show what is known of the track: at first, and when it was corrected. */
  #showFacts() {
    const { track } = this;
    this.element.setAttribute('aria-label', t('Player: {title}', { title: track.title }));
    this.sections.hidden = track.facts.sections.length === 0;
    this.chords.hidden = track.facts.chords.length === 0;
    this.transport.showFacts();
    this.isStale = true;
    this.refresh();
  }

  #actions() {
    const { commands, viewport, session } = this;
    const label = (i) => this.#shownLanes[i]?.lane.label;
    const middle = () => {
      const x = viewport.xOf(commands.frame);
      return x >= 0 && x <= viewport.width ? x : viewport.width / 2;
    };
    return {
      toggle: () => void commands.toggle(),
      stepSeconds: (seconds) => commands.stepSeconds(seconds),
      stepBars: (count) => commands.stepBars(count),
      toStart: () => commands.seek(0),
      toEnd: () => commands.seek(this.track.durationS),
      mute: (i) => label(i) && session.toggleMute(label(i)),
      solo: (i, isExclusive) => label(i) && session.toggleSolo(label(i), { isExclusive }),
      loopStart: () => commands.setLoopEdge('start'),
      loopEnd: () => commands.setLoopEdge('end'),
      toggleLoop: () => commands.toggleLoop(),
      zoomIn: () => viewport.zoom(1.5, middle()),
      zoomOut: () => viewport.zoom(1 / 1.5, middle()),
      fit: () => viewport.fit(),
      toggleOriginal: () => commands.toggleOriginal(),
      toggleClick: () => commands.toggleClick(),
      nextView: () => commands.nextView(),
      help: () => (this.help.open ? this.help.close() : this.help.showModal()),
    };
  }

  get #shownLanes() {
    return this.lanes.filter((lane) => !lane.isOther || preferences.get('other_lanes'));
  }

  #loopSection(event) {
    const at = this.viewport.frameAt(event.clientX - this.rulerCell.getBoundingClientRect().left) / this.track.sampleRate;
    const section = this.track.facts.sections.find((s) => s.start_s <= at && at < s.end_s);
    if (section) this.commands.setLoop(section.start_s, section.end_s, { isFree: true });
  }

  #loaded() {
    const whole = this.lanes.find((lane) => lane.lane.role === 'original') ?? this.lanes[0];
    this.overview.peaks = whole?.peaks ?? null;
    this.#redraw();
  }

  /** Show the state of session, engine and preferences. */
  refresh() {
    this.transport.refresh();
    this.visualiser.show(preferences.get('visualiser') && !wantsLessMotion());
    const showsOthers = preferences.get('other_lanes');
    this.others.hidden = !showsOthers;
    this.more.setAttribute('aria-expanded', String(showsOthers));
    const count = this.lanes.filter((lane) => lane.isOther).length;
    this.more.textContent = `${showsOthers ? '▾' : '▸'} ${t('Other versions ({count})', { count })}`;
    for (const lane of this.lanes) {
      if (lane.isOther && showsOthers) void lane.load();
      lane.strip.refresh();
      lane.element.classList.toggle('is-silent', !this.#isHeard(lane.lane));
    }
    const { view } = preferences.values;
    if (view !== this.view || showsOthers !== this.showsOthers) this.isStale = true;
    Object.assign(this, { view, showsOthers });
    this.loopEdges.refresh();
    this.overview.showLoop(this.session.mix.loop);
    this.#wake();
  }

  #isHeard(lane) {
    const { mix } = this.session;
    if (mix.hears_original) return lane.role === 'original';
    const hasSolo = Object.values(mix.lanes).some((other) => other.solo);
    const own = mix.lanes[lane.label];
    return !own.mute && (!hasSolo || own.solo) && own.gain_db !== null;
  }

  #redraw() {
    this.isStale = true;
    this.#wake();
  }

  #wake() {
    if (this.pending === 0 && !this.abort.signal.aborted) {
      this.pending = requestAnimationFrame((now) => this.#frame(now));
    }
  }

  #frame(now) {
    this.pending = 0;
    if (!this.element.isConnected || document.hidden) return;
    const { frame } = this.commands;
    const isRunning = this.commands.isLoaded && engine.isRunning;
    if (isRunning) this.#follow(frame);
    if (this.isStale) this.#draw();
    this.playhead.style.transform = `translateX(${this.viewport.xOf(frame).toFixed(1)}px)`;
    this.overview.tick(frame);
    this.transport.tick(frame / this.track.sampleRate);
    this.#speakPosition(frame / this.track.sampleRate);
    this.#meter(isRunning, now);
    this.#visualise(frame / this.track.sampleRate, now);
    if (isRunning || now < this.settlesAt) this.#wake();
  }

  /** Turn the page when the playhead leaves it. */
  #follow(frame) {
    const x = this.viewport.xOf(frame);
    const was = this.followed ?? x;
    this.followed = x;
    if (!this.viewport.isFitted && x > this.viewport.width && was <= this.viewport.width + 50) this.viewport.show(frame);
    else if (!this.viewport.isFitted && x < 0 && was >= 0) this.viewport.show(frame);
  }

  #draw() {
    this.isStale = false;
    this.theme = readTheme(this.element);
    const { track, viewport, theme } = this;
    drawSections(this.sections, track, viewport, theme);
    drawScale(this.scale, track, viewport, theme, this.colourOf('vocals'));
    drawChords(this.chords, track, viewport, theme);
    const scale = this.#scale();
    for (const lane of this.#shownLanes) lane.draw(viewport, theme, preferences.get('view'), scale(lane));
    this.overview.draw(theme);
    this.loopEdges.refresh();
  }

  /**
   * The amplitude at full height. Stems share it, so that they keep their order, but the quieter
   * ones are drawn larger (by the root of their distance), so that there is something to see.
   */
  #scale() {
    const of = (lanes) => Math.max(0, ...lanes.map((lane) => lane.peaks?.peak ?? 0));
    const highest = of(this.lanes.filter((lane) => lane.lane.role === 'stem')) || 1;
    return (lane) => (lane.lane.role === 'stem' ? Math.sqrt(of([lane]) * highest) : of([lane])) || 1;
  }

  #speakPosition(seconds) {
    const whole = Math.floor(seconds);
    if (whole === this.spoken) return;
    this.spoken = whole;
    const bar = this.track.barAt(seconds);
    const { element } = this.overview;
    element.setAttribute('aria-valuenow', whole);
    element.setAttribute('aria-valuetext', t('{time} of {all}', { time: clock(seconds), all: clock(this.track.durationS) }) + (bar === null ? '' : t(', bar {bar}', { bar })));
  }

  #visualise(seconds, now) {
    const isOn = this.commands.isLoaded && now < this.settlesAt;
    const heard = this.#shownLanes.map(({ lane }) => lane).filter((lane) => this.#isHeard(lane));
    if (isOn) this.visualiser.tick(seconds, heard, this.theme);
    else this.visualiser.clear(seconds);
  }

  #meter(isRunning, now) {
    if (isRunning) this.settlesAt = now + 2000;
    if (now - this.meteredAt < METER_MS) return;
    this.meteredAt = now;
    const isOn = this.commands.isLoaded && now < this.settlesAt;
    for (const lane of this.#shownLanes) {
      const meter = isOn ? engine.graph.lanes.get(lane.lane.label).meter : null;
      showLevel(lane.strip.meter, meter?.read(now) ?? null);
    }
    const master = isOn ? engine.graph.masterMeter : null;
    showLevel(this.transport.masterMeter, master?.read(now) ?? null);
    this.transport.clip.hidden = !(this.commands.isLoaded && engine.graph.masterMeter.hasClipped);
  }
}

/** Stems in their usual order, then the original, then the rest as delivered. */
function sortLanes(track) {
  const place = (lane) => {
    if (lane.role === 'original') return 1000;
    if (lane.role !== 'stem') return 2000;
    const known = ORDER.indexOf(lane.label);
    return known < 0 ? ORDER.length : known;
  };
  return [...track.lanes].sort((a, b) => place(a) - place(b));
}
