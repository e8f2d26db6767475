/** The loop over ruler and lanes: a shaded stretch with two edges to drag or to move by keys. */

import { h } from '../../elements.js';
import { t } from '../../language.js';
import { clock } from './format.js';

export class LoopEdges {
  constructor(commands, viewport) {
    this.commands = commands;
    this.viewport = viewport;
    this.edges = ['start', 'end'].map((edge) => this.#edge(edge));
    this.area = h('span', { class: 'loop' });
  }

  #edge(edge) {
    const { commands, viewport } = this;
    const name = edge === 'start' ? 'start_s' : 'end_s';
    const handle = h('span', {
      class: `edge ${edge}`,
      role: 'slider',
      tabindex: 0,
      'aria-label': edge === 'start' ? t('Loop start') : t('Loop end'),
      'aria-valuemin': 0,
      'aria-valuemax': commands.track.durationS.toFixed(2),
    });
    handle.addEventListener('keydown', (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1 }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      commands.nudgeLoop(edge, step * (event.shiftKey ? commands.track.beatsPerBar : 1));
    });
    handle.addEventListener('pointerdown', (event) => {
      event.stopPropagation();
      handle.setPointerCapture(event.pointerId);
    });
    handle.addEventListener('pointermove', (event) => {
      if (!handle.hasPointerCapture(event.pointerId)) return;
      event.stopPropagation();
      const left = handle.parentElement.getBoundingClientRect().left;
      const at = viewport.frameAt(event.clientX - left) / commands.track.sampleRate;
      const { loop } = commands.session.mix;
      const moved = { ...loop, [name]: at };
      if (moved.start_s < moved.end_s) commands.setLoop(moved.start_s, moved.end_s, { isFree: event.altKey, isOn: loop.is_on });
    });
    handle.addEventListener('pointerup', (event) => event.stopPropagation());
    return handle;
  }

  refresh() {
    const { track, session } = this.commands;
    const { loop } = session.mix;
    this.area.hidden = loop === null;
    this.area.classList.toggle('is-on', loop?.is_on === true);
    for (const [i, edge] of this.edges.entries()) {
      edge.hidden = loop === null;
      if (loop === null) continue;
      const seconds = i === 0 ? loop.start_s : loop.end_s;
      const bar = track.barAt(seconds);
      edge.setAttribute('aria-valuenow', seconds.toFixed(2));
      edge.setAttribute('aria-valuetext', clock(seconds, 1) + (bar === null ? '' : t(', bar {bar}', { bar })));
    }
    if (loop === null) return;
    const from = this.viewport.xOf(loop.start_s * track.sampleRate);
    const to = this.viewport.xOf(loop.end_s * track.sampleRate);
    Object.assign(this.area.style, { left: `${from}px`, width: `${to - from}px` });
    this.edges[0].style.left = `${from}px`;
    this.edges[1].style.left = `${to}px`;
  }
}
