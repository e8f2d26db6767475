/** A running job: one card, fed by the events of the API. */

import { h } from '../elements.js';
import { Model } from './model.js';

const REFRESH_WAITING_MS = 5000;
const RECONNECT_MS = 3000;
const QUIET_AFTER_S = 120;
const mounted = new WeakMap();

/**
 * Data: `job` (as `GET /job/{id}` gives it), `urls` (`job`, `events`, `cancel`), `stages` (titles by
 * name), `hrefs` (of the tracks' pages), `estimate` (seconds, or null), `words`.
 * Trigger: `ended` with the final state, once.
 */
export default function mount(component) {
  const { parentElement, data } = component;
  let card = mounted.get(parentElement);
  if (card !== undefined && card.id !== data.job.job_id) {
    card.unmount();
    card = undefined;
  }
  if (card === undefined) {
    card = new Card(parentElement, component);
    mounted.set(parentElement, card);
  }
  return card.unmount;
}

class Card {
  constructor(parent, { data, setTriggerValue }) {
    this.parent = parent;
    this.data = data;
    this.words = data.words;
    this.id = data.job.job_id;
    this.end = setTriggerValue;
    this.model = new Model(data.job);
    this.title = document.title;
    this.rows = [];
    this.heardAt = Date.now();
    this.unmount = this.unmount.bind(this);
    this.build();
    this.render();
    this.connect();
    this.clock = setInterval(() => this.tick(), 1000);
    this.ticks = 0;
  }

  unmount() {
    clearInterval(this.clock);
    clearTimeout(this.reconnecting);
    this.source?.close();
    mounted.delete(this.parent);
    if (document.title === this.shownTitle) document.title = this.title;
    this.root.remove();
  }

  build() {
    const { words } = this;
    this.heading = h('h1', {}, nameOf(this.model, words));
    this.now = h('p', { class: 'now' });
    this.bar = h('progress', { max: '1', 'aria-label': words.progress });
    this.cancel = h('button', { type: 'button', class: 'action', onclick: () => this.onCancel() }, words.cancel);
    this.tell = h('button', { type: 'button', class: 'action quiet', onclick: () => this.onTell() }, words.tell);
    this.trouble = h('p', { class: 'trouble', role: 'alert' });
    this.list = h('ul', { class: 'tracks' });
    this.live = h('p', { class: 'live', 'aria-live': 'polite' });
    for (const track of this.model.tracks) {
      const row = new Row(track, this.data);
      this.rows.push(row);
      this.list.append(row.root);
    }
    this.root = h(
      'section',
      { class: 'card' },
      this.heading,
      this.now,
      this.bar,
      h('div', { class: 'actions' }, this.cancel, this.tell),
      this.trouble,
      this.list,
      this.live,
    );
    this.parent.append(this.root);
  }

  connect() {
    const source = new EventSource(this.data.urls.events);
    this.source = source;
    for (const kind of ['state', 'stage', 'progress']) {
      source.addEventListener(kind, (event) => this.hear(JSON.parse(event.data)));
    }
    source.onopen = () => this.say('');
    source.onerror = () => {
      this.say(this.words.away);
      // A browser gives up for good where something else than a stream answers.
      if (source.readyState !== EventSource.CLOSED || this.source !== source) return;
      this.reconnecting = setTimeout(() => void this.comeBack(), RECONNECT_MS);
    };
  }

  async comeBack() {
    await this.refresh();
    if (this.model.isFinal) this.finish();
    else this.connect();
  }

  /** Read the job as it stands: places in the queue and facts of tracks are in no event. */
  async refresh() {
    try {
      const answer = await fetch(this.data.urls.job);
      if (answer.status === 404) this.finish('deleted');
      if (!answer.ok) return;
      this.model.read(await answer.json());
      this.say('');
      this.render();
    } catch {
      this.say(this.words.away);
    }
  }

  hear(event) {
    this.heardAt = Date.now();
    const hasTrackEnded = this.model.apply(event);
    if (hasTrackEnded) void this.refresh();
    this.render();
    if (this.model.isFinal) this.finish();
  }

  tick() {
    this.ticks += 1;
    if (this.model.state === 'queued' && this.ticks % (REFRESH_WAITING_MS / 1000) === 0) void this.refresh();
    this.renderNow();
  }

  finish(state = this.model.state) {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.source?.close();
    this.announce(this.words[state] ?? state);
    notify(nameOf(this.model, this.words), this.words[state] ?? state);
    this.end('ended', state);
  }

  async onCancel() {
    this.cancel.disabled = true;
    try {
      const answer = await fetch(this.data.urls.cancel, { method: 'POST' });
      if (!answer.ok) throw new Error(String(answer.status));
      this.announce(this.words.cancelling);
    } catch {
      this.say(this.words.away);
      this.cancel.disabled = false;
    }
  }

  async onTell() {
    await Notification.requestPermission();
    this.render();
  }

  say(text) {
    if (this.trouble.textContent !== text) this.trouble.textContent = text;
  }

  announce(text) {
    if (this.live.textContent !== text) this.live.textContent = text;
  }

  render() {
    this.renderNow();
    const { model } = this;
    this.bar.hidden = model.state === 'queued';
    this.bar.value = model.fraction;
    const isAskable = 'Notification' in window && Notification.permission === 'default' && window.isSecureContext;
    this.tell.hidden = !isAskable;
    for (const row of this.rows) row.render();
  }

  renderNow() {
    const { model, words } = this;
    const text = describe(model, this.data, (Date.now() - this.heardAt) / 1000);
    if (this.now.textContent !== text) this.now.textContent = text;
    const percent = Math.round(100 * model.fraction);
    const start = model.state === 'running' ? `${percent} %` : (words[model.state] ?? '');
    this.shownTitle = `${start} – ${nameOf(model, words)}`;
    if (document.title !== this.shownTitle && !this.hasEnded) document.title = this.shownTitle;
    const quarter = Math.floor(percent / 25) * 25;
    if (model.state === 'running' && quarter !== this.quarter) {
      this.quarter = quarter;
      this.announce(text);
    }
  }
}

class Row {
  constructor(track, data) {
    this.track = track;
    this.data = data;
    const { words, hrefs } = data;
    this.mark = h('span', { class: 'mark', 'aria-hidden': 'true' });
    this.state = h('span', { class: 'state' });
    this.open = h('a', { class: 'open', href: hrefs[track.index], target: '_self' }, words.open);
    this.open.setAttribute('aria-label', `${words.open}: ${track.name}`);
    this.stages = h('ul', { class: 'stages' });
    this.error = h('p', { class: 'trouble' });
    this.summary = h('summary', {}, this.mark, h('span', { class: 'name' }, track.name), this.state);
    this.details = h('details', {}, this.summary, this.stages, this.error);
    this.root = h('li', {}, this.details, this.open);
    this.details.open = data.job.tracks.length === 1;
  }

  render() {
    const { track, data } = this;
    const { words } = data;
    this.root.dataset.state = track.state;
    this.mark.textContent = { completed: '✓', failed: '✕', cancelled: '–' }[track.state] ?? '';
    this.state.textContent = describeTrack(track, data);
    this.open.hidden = track.state !== 'completed';
    this.error.textContent = track.error ? [track.error.message, track.error.hint].filter(Boolean).join(' ') : '';
    this.error.hidden = this.error.textContent === '';
    const items = track.stages.map((stage) => `${data.stages[stage.name] ?? stage.name}|${stage.state}`);
    if (items.join() === this.shown) return;
    this.shown = items.join();
    this.stages.replaceChildren(
      ...track.stages.map((stage) => {
        const title = data.stages[stage.name] ?? stage.name;
        const label = `${title}: ${words[stage.state] ?? stage.state}`;
        return h('li', { 'data-state': stage.state, 'aria-label': label }, title);
      }),
    );
  }
}

function nameOf(model, words) {
  const { tracks } = model;
  return tracks.length === 1 ? tracks[0].name : words.tracks.replace('{n}', tracks.length);
}

function describe(model, { stages, words, estimate }, quietS) {
  if (model.state === 'queued') {
    const place = model.queuePlace;
    const parts = [place === null || place <= 1 ? words.next : words.place.replace('{n}', place)];
    if (estimate !== null) parts.push(words.takes.replace('{time}', formatTime(estimate, words)));
    return parts.join(' · ');
  }
  if (model.isFinal || model.stage === null) return words[model.state] ?? model.state;
  const parts = [stages[model.stage] ?? model.stage];
  if (model.trackIndex !== null && model.tracks.length > 1) {
    parts.push(words.track.replace('{n}', model.trackIndex + 1).replace('{all}', model.tracks.length));
  }
  parts.push(`${Math.round(100 * model.fraction)} %`);
  if (quietS >= QUIET_AFTER_S) parts.push(words.quiet.replace('{time}', formatTime(quietS, words)));
  else if (model.etaS !== null) parts.push(words.left.replace('{time}', formatTime(model.etaS, words)));
  else if (estimate !== null) parts.push(words.takes.replace('{time}', formatTime(estimate, words)));
  return parts.join(' · ');
}

function describeTrack(track, { stages, words }) {
  if (track.state === 'completed') return [track.tempo, track.camelot].filter(Boolean).join(' · ') || words.completed;
  if (track.state === 'failed' || track.state === 'cancelled') return words[track.state];
  const running = track.stages.find((stage) => stage.state === 'running');
  if (running === undefined) return track.state === 'running' ? words.waits : words.pending;
  const percent = running.fraction === undefined ? '' : ` ${Math.round(100 * running.fraction)} %`;
  return `${stages[running.name] ?? running.name}${percent}`;
}

function formatTime(seconds, words) {
  if (seconds < 90) return words.seconds.replace('{n}', Math.max(1, Math.round(seconds)));
  return words.minutes.replace('{n}', Math.round(seconds / 60));
}

function notify(title, body) {
  if (!('Notification' in window) || Notification.permission !== 'granted' || !document.hidden) return;
  try {
    new Notification(title, { body, tag: 'stemcrate-job' });
  } catch {
    // Some browsers on phones want a service worker for it.
  }
}
