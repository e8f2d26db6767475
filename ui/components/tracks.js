/** A list of tracks that lead to their pages; each waveform is fetched when its row is near. */

import { Peaks, readDat } from './player/model/peaks.js';
import { h } from './elements.js';
import { readTheme, withAlpha } from './player/view/theme.js';
import { prepare } from './player/view/wave.js';

const NEAR = '200px';
const THEME_CHECK_MS = 700;

/**
 * Mount the list. Data: `tracks`, each with `place`, `title`, `artist`, `tempo`, `camelot`,
 * `colour` (of the key), `energy`, `length` (texts), `state`, `stateWord`, `href` and `waveform` (a URL) or null.
 */
export default function mount({ data, parentElement }) {
  const abort = new AbortController();
  const waves = new Map();
  const list = h('ol', { class: 'tracks' });
  const near = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        near.unobserve(entry.target);
        void load(entry.target);
      }
    },
    { rootMargin: NEAR },
  );

  async function load(canvas) {
    try {
      const answer = await fetch(canvas.dataset.url, { signal: abort.signal });
      if (!answer.ok) return;
      waves.set(canvas, new Peaks(...readDat(await answer.arrayBuffer())));
      draw(canvas, readTheme(list));
    } catch (error) {
      if (!abort.signal.aborted) console.warn(error);
    }
  }

  function draw(canvas, theme) {
    const area = prepare(canvas);
    if (area === null) return;
    const peaks = waves.get(canvas);
    const { context, width, height } = area;
    const level = peaks.levels.findLast(({ low }) => low.length >= width) ?? peaks.levels[0];
    const per = level.low.length / width;
    const reach = (0.48 * height) / (peaks.peak || 1);
    context.fillStyle = withAlpha(theme.text, 0.6);
    for (let x = 0; x < width; x++) {
      const i = Math.min(Math.floor(x * per), level.low.length - 1);
      context.fillRect(x, height / 2 - level.high[i] * reach - 0.5, 1, (level.high[i] - level.low[i]) * reach + 1);
    }
  }

  function row(track) {
    const canvas = h('canvas', { 'aria-hidden': 'true', 'data-url': track.waveform });
    if (track.waveform !== null) near.observe(canvas);
    const inside = [
      h('span', { class: 'place' }, String(track.place)),
      h('span', { class: 'names' }, h('b', {}, track.title), h('span', {}, track.artist ?? '')),
      h('span', { class: 'wave' }, canvas),
      h('span', { class: 'number bpm' }, track.tempo),
      h('span', { class: 'key', style: `--key: ${track.colour}` }, track.camelot),
      h('span', { class: 'number energy' }, track.energy),
      track.state === 'completed'
        ? h('span', { class: 'number' }, track.length)
        : h('span', { class: track.state === 'failed' ? 'failed' : 'number' }, track.stateWord),
    ];
    const outer = track.href === null ? h('div', { class: 'off' }, ...inside) : h('a', { href: track.href }, ...inside);
    return h('li', {}, outer);
  }

  const all = () => {
    const theme = readTheme(list);
    for (const canvas of waves.keys()) draw(canvas, theme);
    return theme.id;
  };
  list.append(...data.tracks.map(row));
  for (const old of parentElement.querySelectorAll('.tracks')) old.remove();
  parentElement.append(list);
  let theme = readTheme(list).id;
  const check = setInterval(() => {
    if (readTheme(list).id !== theme) theme = all();
  }, THEME_CHECK_MS);
  const resize = new ResizeObserver(all);
  resize.observe(list);
  return () => {
    abort.abort();
    near.disconnect();
    resize.disconnect();
    clearInterval(check);
    list.remove();
  };
}
