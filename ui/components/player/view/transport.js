/** The rows of buttons: transport, loop, tempo, pitch, click, master and view. */

import { engine, canShiftPitch } from '../engine/engine.js';
import { awayWords, connection } from '../model/api.js';
import { VIEWS } from '../model/commands.js';
import { titleOf } from '../model/track.js';
import { dbToPosition, PITCH, positionToDb, TEMPO } from '../model/mix.js';
import { preferences } from '../model/preferences.js';
import { h } from '../../elements.js';
import { t } from '../../language.js';
import { button, setIcon, setPressed, setText } from './dom.js';
import { clock, decibels, shiftCamelot, signed } from './format.js';
import { slider } from './slider.js';
import { meterBar } from './strip.js';
import { wantsLessMotion } from './visualiser.js';

const LOOP_BARS = [1, 2, 4, 8, 16, 32];
const viewNames = () => ({ waveform: t('Stems'), bands: t('Bands'), spectrum: t('Spectrum') });
const ZERO_DB = dbToPosition(0);
const noPitchLock = () =>
  t('Tempo changes the pitch too: on this address, browsers offer no pitch lock. Use https or localhost.');

export class Transport {
  constructor(commands, viewport, openHelp) {
    this.commands = commands;
    this.track = commands.track;
    this.session = commands.session;
    this.play = button({ name: 'play', label: t('Play'), class: 'play', onclick: () => void commands.toggle() });
    this.clock = h('span', { class: 'clock' });
    this.bar = h('span', { class: 'bar' });
    this.tempoFact = h('span', { class: 'fact' });
    this.keyFact = h('span', { class: 'fact' });
    this.status = h('span', { class: 'status', role: 'status' });
    this.compare = choice(t('What is heard'), [
      [t('Mix'), () => this.session.mix.hears_original && commands.toggleOriginal()],
      [t('Original'), () => this.session.mix.hears_original || commands.toggleOriginal()],
    ]);
    this.compare.title = t('The mix, or the original at the same loudness (A)');
    // With the original alone, there is no mix to compare it with.
    this.compare.hidden = this.track.original === null || this.track.lanes.length < 2;
    this.masterMeter = meterBar();
    this.clip = h('span', { class: 'clip', role: 'img', 'aria-label': t('Clipped'), title: t('Clipped: lower the faders'), hidden: true }, 'CLIP');
    this.master = slider({
      label: t('Master volume'),
      min: 0,
      max: 1,
      step: 0.02,
      initial: ZERO_DB,
      read: () => dbToPosition(preferences.get('master_db') ?? null),
      write: (position) => preferences.set('master_db', positionToDb(position) ?? -60),
      text: (position) => decibels(positionToDb(position)),
    });
    this.loop = button({ name: 'loop', text: t('Loop'), title: t('Loop (L)'), onclick: () => commands.toggleLoop() });
    this.loopBars = h(
      'select',
      { 'aria-label': t('Length of the loop'), title: t('Loop from this bar'), onchange: () => this.#setLoopBars() },
      h('option', { value: '' }, t('bars')),
      ...LOOP_BARS.map((bars) => h('option', { value: bars }, bars === 1 ? t('1 bar') : t('{bars} bars', { bars }))),
    );
    this.jump = this.#jumpList();
    this.tempo = slider({
      label: t('Tempo'),
      min: 100 * TEMPO.least,
      max: 100 * TEMPO.most,
      step: 1,
      initial: 100,
      read: () => 100 * this.session.mix.tempo,
      write: (percent) => commands.setTempo(Math.round(2 * percent) / 200),
      text: (percent) => `${percent.toFixed(1)} %`,
    });
    this.tempoValue = h('output', { class: 'value', 'aria-hidden': 'true' });
    this.pitch = slider({
      label: t('Pitch'),
      min: PITCH.least,
      max: PITCH.most,
      step: 1,
      initial: 0,
      read: () => this.session.mix.pitch_semitones,
      write: (semitones) => commands.setPitch(semitones),
      text: (semitones) => t('{n} semitones', { n: signed(Math.round(semitones)) }),
    });
    this.pitch.disabled = !canShiftPitch();
    this.pitchValue = h('output', { class: 'value', 'aria-hidden': 'true' });
    this.note = h('p', { class: 'note', role: 'note', hidden: canShiftPitch() }, noPitchLock());
    this.click = button({ name: 'click', text: t('Click'), title: t('Click on the beats (K)'), onclick: () => commands.toggleClick() });
    this.countIn = button({
      text: t('Count-in'),
      title: t('Count a bar before playing'),
      onclick: () => preferences.set('count_in', !preferences.get('count_in')),
    });
    this.view = choice(t('What lanes show'), VIEWS.map((view) => [viewNames()[view], () => preferences.set('view', view)]));
    this.zoom = group(t('Zoom'),
      button({ name: 'minus', label: t('Zoom out'), onclick: () => viewport.zoom(1 / 2, viewport.width / 2) }),
      button({ name: 'plus', label: t('Zoom in'), onclick: () => viewport.zoom(2, viewport.width / 2) }),
      button({ name: 'fit', label: t('Show the whole track'), onclick: () => viewport.fit() }),
    );
    this.visualiser = button({
      name: 'spectrum',
      label: t('Visualiser'),
      hidden: wantsLessMotion(),
      onclick: () => preferences.set('visualiser', !preferences.get('visualiser')),
    });
    this.help = button({ text: '?', label: t('Keys of the player'), onclick: openHelp });
    this.element = h(
      'div',
      { class: 'transport' },
      h(
        'div',
        { class: 'row' },
        group(t('Transport'),
          button({ name: 'start', label: t('To the start'), onclick: () => commands.seek(0) }),
          button({ name: 'back', label: t('Back a bar'), onclick: () => commands.stepBars(-1) }),
          this.play,
          button({ name: 'forward', label: t('Forward a bar'), onclick: () => commands.stepBars(1) }),
        ),
        h('div', { class: 'times' }, this.clock, this.bar),
        h('div', { class: 'facts' }, this.tempoFact, this.keyFact),
        this.status,
        h('span', { class: 'space' }),
        this.compare,
        h('div', { class: 'master' }, h('span', { class: 'caption' }, t('Master')), this.master, this.masterMeter, this.clip),
      ),
      h(
        'div',
        { class: 'row tools' },
        group(t('Loop'), this.loop, this.loopBars),
        this.jump,
        h('div', { class: 'dial' }, h('span', { class: 'caption' }, t('Tempo')), this.tempo, this.tempoValue),
        h('div', { class: 'dial' }, h('span', { class: 'caption' }, t('Pitch')), this.pitch, this.pitchValue),
        group(t('Click'), this.click, this.countIn),
        h('span', { class: 'space' }),
        this.visualiser,
        button({ name: 'reset', label: t('Reset the mix'), onclick: () => this.session.reset() }),
      ),
      this.note,
    );
  }

  /** Show what is known of the track: at first, and when it was corrected. */
  showFacts() {
    const { beats, bars, facts } = this.track;
    this.loopBars.hidden = bars.length < 2;
    this.click.hidden = beats.length < 2;
    this.tempoFact.hidden = !facts.tempo_bpm;
    this.keyFact.hidden = !facts.camelot;
    this.#fillJumpList();
  }

  /** Show the state: on every change. */
  refresh() {
    const { commands, track } = this;
    const { mix } = this.session;
    const isRunning = commands.isLoaded && engine.isRunning;
    setIcon(this.play, isRunning ? 'pause' : 'play');
    const name = isRunning ? t('Pause') : t('Play');
    this.play.setAttribute('aria-label', name);
    this.play.title = t('{name} (space)', { name });
    setPressed(this.loop, mix.loop?.is_on === true);
    this.loopBars.value = String(this.#barsOfLoop() ?? '');
    setPressed(this.click, preferences.get('click'));
    setPressed(this.countIn, preferences.get('count_in'));
    setPressed(this.visualiser, preferences.get('visualiser'));
    this.countIn.hidden = this.click.hidden || !preferences.get('click');
    setText(this.tempoValue, `${(100 * mix.tempo).toFixed(1)} %`);
    setText(this.pitchValue, `${signed(mix.pitch_semitones)} st`);
    const { tempo_bpm: bpm, camelot } = track.facts;
    if (bpm) setText(this.tempoFact, `${(bpm * mix.tempo).toFixed(1)} BPM`);
    if (camelot) setText(this.keyFact, shiftCamelot(camelot, canShiftPitch() ? mix.pitch_semitones : 0));
    for (const control of [this.tempo, this.pitch, this.master]) control.refresh();
    mark(this.compare, mix.hears_original ? 1 : 0);
    mark(this.view, VIEWS.indexOf(preferences.get('view')));
  }

  /** Show the time: on every frame. */
  tick(seconds) {
    const { track } = this;
    const bar = track.barAt(seconds);
    setText(this.clock, `${clock(seconds, 1)} / ${clock(track.durationS)}`);
    setText(this.bar, bar === null ? '' : t('Bar {bar}', { bar }));
    setText(this.status, this.#stateText());
  }

  #stateText() {
    if (connection.isAway) return awayWords();
    if (!this.commands.isLoaded) return '';
    const { error } = engine;
    if (error !== null) return `${error} ${t('Trying again …')}`;
    return engine.isBuffering ? t('Buffering …') : '';
  }

  #setLoopBars() {
    if (this.loopBars.value) this.commands.loopBars(Number(this.loopBars.value));
    this.loopBars.blur();
  }

  #barsOfLoop() {
    const { loop } = this.session.mix;
    if (loop === null) return null;
    const inside = this.track.bars.filter((bar) => bar >= loop.start_s - 0.01 && bar < loop.end_s - 0.01);
    return LOOP_BARS.includes(inside.length) ? inside.length : null;
  }

  /** Sections and cues to go to, for those who can't point at the ruler. */
  #jumpList() {
    const list = h(
      'select',
      {
        'aria-label': t('Go to a section or cue'),
        class: 'jump',
        onchange: () => {
          if (list.value) this.commands.seek(Number(list.value));
          list.value = '';
          list.blur();
        },
      },
    );
    return list;
  }

  #fillJumpList() {
    const { sections, cues, loops } = this.track.facts;
    const places = [
      ...sections.map((s) => ({ time: s.start_s, name: titleOf(s.label) })),
      ...cues.map((cue) => ({ time: cue.time_s, name: `Cue: ${cue.name}` })),
      ...loops.map((loop) => ({ time: loop.start_s, name: `Loop: ${loop.name}` })),
    ].sort((a, b) => a.time - b.time);
    this.jump.replaceChildren(
      h('option', { value: '' }, t('Go to …')),
      ...places.map(({ time, name }) => h('option', { value: time }, `${clock(time)} ${name}`)),
    );
    this.jump.hidden = places.length === 0;
  }
}

function group(label, ...children) {
  return h('div', { class: 'group', role: 'group', 'aria-label': label }, ...children);
}

/** A choice of one among few: buttons of which one is pressed. */
function choice(label, entries) {
  return group(label, ...entries.map(([text, onclick]) => button({ text, onclick })));
}

function mark(group, index) {
  for (const [i, child] of [...group.children].entries()) setPressed(child, i === index);
}
