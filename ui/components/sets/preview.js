/**
 * Previews of transitions: rendered by the server, played and saved here. Either they or the player
 * of tracks sounds.
 */

import { h } from '../elements.js';
import { engine } from '../player/engine/engine.js';
import { clock } from '../player/view/format.js';

const LOOK_MS = 500;
const RETRY_MS = 2000;
const BARS_AROUND = 8;
const LEAD_S = 4;
const FORMAT = 'mp3';

export class Previews {
  /**
   * @param {import('../api.js').Api} api
   * @param {Object} words
   */
  constructor(api, words) {
    this.api = api;
    this.words = words;
    this.made = new Map();
    this.isStopped = false;
    this.onEngine = () => engine.isRunning && this.pause();
    engine.addEventListener('state', this.onEngine);
  }

  button(step, place) {
    const { words } = this;
    const preview = this.made.get(nameOf(step));
    const isBusy = preview?.isBusy ?? false;
    return h(
      'button',
      {
        type: 'button',
        class: 'action small',
        'data-act': 'preview',
        'aria-label': words.previewOf.replace('{from}', place).replace('{to}', place + 1),
        disabled: isBusy,
        onclick: (event) => void this.start(step, event.currentTarget),
      },
      words.preview,
    );
  }

  /** What is known of a preview: its progress, why there is none, or the sound. */
  panel(step) {
    return this.made.get(nameOf(step))?.root ?? null;
  }

  async start(step, button) {
    const name = nameOf(step);
    this.made.get(name)?.root.remove();
    const preview = { root: h('div', { class: 'preview', 'aria-live': 'polite' }), isBusy: true };
    this.made.set(name, preview);
    button.disabled = true;
    button.closest('.mix').append(preview.root);
    try {
      this.showProgress(preview, 0, this.words.waiting);
      const body = {
        kind: 'transition',
        outgoing: { track_id: step.from },
        incoming: { track_id: step.to },
        transition: step,
        format: FORMAT,
        before_bars: BARS_AROUND,
        after_bars: BARS_AROUND,
      };
      const render = await this.follow(preview, await this.api.ask('POST', '/renders', { body }));
      if (render !== null) this.showEnd(preview, render);
    } catch (refusal) {
      preview.root.replaceChildren(h('p', { class: 'trouble', role: 'alert' }, refusal.words ?? String(refusal)));
    } finally {
      preview.isBusy = false;
      const shown = preview.root.closest('.mix')?.querySelector("[data-act='preview']");
      if (shown) shown.disabled = false;
    }
  }

  /** Look at a render until it has ended; null if the page is left first. */
  async follow(preview, render) {
    let seen = render;
    while (!['completed', 'failed', 'cancelled'].includes(seen.state)) {
      this.showProgress(preview, seen.fraction, seen.state === 'queued' ? this.words.waiting : this.words.mixing);
      await new Promise((done) => { setTimeout(done, LOOK_MS); });
      if (this.isStopped) return null;
      try {
        seen = await this.api.ask('GET', `/renders/${encodeURIComponent(seen.id)}`);
      } catch (refusal) {
        if (!refusal.isAway) throw refusal;
        this.showProgress(preview, seen.fraction, refusal.words);
        await new Promise((done) => { setTimeout(done, RETRY_MS); });
      }
    }
    return seen;
  }

  showProgress(preview, fraction, words) {
    preview.root.replaceChildren(h('progress', { max: '1', value: String(fraction), 'aria-label': words }), h('span', {}, words));
  }

  showEnd(preview, render) {
    const { words, api } = this;
    if (render.file === null) {
      const why = render.error === null ? words.noPreview : [render.error.message, render.error.hint].filter(Boolean).join(' ');
      preview.root.replaceChildren(h('p', { class: 'trouble', role: 'alert' }, why));
      return;
    }
    const { starts_s: starts, ends_s: ends } = render.transition;
    const file = api.url(render.links.file);
    const audio = h('audio', { controls: true, preload: 'auto', src: `${file}?disposition=inline`, 'aria-label': words.preview });
    audio.addEventListener('loadedmetadata', () => { audio.currentTime = Math.max(0, starts - LEAD_S); }, { once: true });
    audio.addEventListener('play', () => {
      engine.pause();
      for (const other of this.players()) if (other !== audio) other.pause();
    });
    const range = words.mixFrom.replace('{from}', clock(starts)).replace('{to}', clock(ends));
    preview.root.replaceChildren(
      audio,
      h('button', { type: 'button', class: 'action small', onclick: () => { audio.currentTime = Math.max(0, starts - LEAD_S); void audio.play(); } }, range),
      h('a', { class: 'action small', href: file, download: '' }, words.download),
      ...render.warnings.map((warning) => h('p', { class: 'note' }, warning.message)),
    );
    // A browser that plays nothing without a click on the player leaves it to that.
    audio.play().catch(() => {});
  }

  /** Draw anew without an end of the sound: an element that is taken out of the page pauses. */
  keepPlaying(draw) {
    const playing = this.players().filter((audio) => !audio.paused);
    draw();
    for (const audio of playing) if (audio.isConnected) audio.play().catch(() => {});
  }

  players() {
    return [...this.made.values()].map(({ root }) => root.querySelector('audio')).filter((audio) => audio !== null);
  }

  pause() {
    for (const audio of this.players()) audio.pause();
  }

  stop() {
    this.isStopped = true;
    engine.removeEventListener('state', this.onEngine);
    this.pause();
  }
}

function nameOf(step) {
  return `${step.from} ${step.to}`;
}
