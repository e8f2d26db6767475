/** Draws a waveform or a spectrogram into a canvas, for the part of the track on screen. */

import { N_BANDS } from '../model/peaks.js';
import { blend, channels, withAlpha } from './theme.js';

/** Bass, middle and treble as DJs know them from their decks, on light and dark. */
const BAND_COLOURS = { light: ['#1c6dd0', '#c2410c', '#3f3f46'], dark: ['#2f7de1', '#f59e0b', '#f5f5f4'] };
/** A sine's amplitude over its root mean square, and some more: music is no sine. */
const AMPLITUDE = 1.8;
const MARGIN = 0.94;

/** Fit a canvas to its box; returns its context in CSS pixels, or null while it has no size. */
export function prepare(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  if (width === 0 || height === 0) return null;
  const density = globalThis.devicePixelRatio || 1;
  const [w, ht] = [Math.round(width * density), Math.round(height * density)];
  if (canvas.width !== w || canvas.height !== ht) Object.assign(canvas, { width: w, height: ht });
  const context = canvas.getContext('2d');
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

/** Three shades for a stem, from its colour: bass deep, treble towards the text. */
export function shades(colour, theme) {
  return theme.isDark
    ? [blend(colour, '#000000', 0.3), colour, blend(colour, '#ffffff', 0.6)]
    : [blend(colour, '#ffffff', 0.4), colour, blend(colour, '#000000', 0.5)];
}

export function bandColours(theme) {
  return BAND_COLOURS[theme.isDark ? 'dark' : 'light'];
}

/**
 * Draw a waveform: a pale body from minimum to maximum, and the bands inside, loudest behind.
 *
 * @param {{xOf: Function, start: number, framesPerPx: number}} viewport
 * @param {{colour: string, bands: string[], scale: number}} look `scale`: amplitude at full height
 */
export function drawWave({ context, width, height }, peaks, viewport, look) {
  const middle = height / 2;
  const reach = (middle * MARGIN) / (look.scale || 1);
  const columns = measure(peaks.levelFor(viewport.framesPerPx), viewport, Math.ceil(width));
  context.fillStyle = withAlpha(look.colour, 0.35);
  context.beginPath();
  for (let x = 0; x < columns.count; x++) {
    const top = middle - Math.max(columns.high[x] * reach, 0.5);
    const bottom = middle - Math.min(columns.low[x] * reach, -0.5);
    context.rect(x, top, 1, bottom - top);
  }
  context.fill();
  const order = [0, 1, 2].sort((a, b) => columns.sums[b] - columns.sums[a]);
  for (const band of order) {
    context.fillStyle = look.bands[band];
    context.beginPath();
    for (let x = 0; x < columns.count; x++) {
      const most = Math.max(columns.high[x], -columns.low[x]);
      const size = Math.min(Math.sqrt(columns.power[band][x]) * AMPLITUDE, most) * reach;
      if (size > 0.4) context.rect(x, middle - size, 1, 2 * size);
    }
    context.fill();
  }
}

/** Minimum, maximum and highest powers under each pixel of the screen. */
function measure(level, viewport, width) {
  const { low, high, power, framesPerPixel } = level;
  const per = viewport.framesPerPx / framesPerPixel;
  const first = viewport.start / framesPerPixel;
  const found = {
    count: 0,
    low: new Float32Array(width),
    high: new Float32Array(width),
    power: [0, 1, 2].map(() => new Float32Array(width)),
    sums: [0, 0, 0],
  };
  for (let x = 0; x < width; x++) {
    const from = first + x * per;
    if (from >= low.length) break;
    found.count = x + 1;
    if (per < 1) interpolate(found, level, x, from);
    else gather(found, level, x, Math.floor(from), Math.min(Math.max(Math.ceil(from + per), Math.floor(from) + 1), low.length));
    for (let band = 0; band < N_BANDS; band++) found.sums[band] += found.power[band][x];
  }
  return found;
}

function gather(found, { low, high, power }, x, from, to) {
  for (let i = from; i < to; i++) {
    found.low[x] = Math.min(found.low[x], low[i]);
    found.high[x] = Math.max(found.high[x], high[i]);
    for (let band = 0; band < N_BANDS; band++) {
      found.power[band][x] = Math.max(found.power[band][x], power[i * N_BANDS + band]);
    }
  }
}

/** Closer than the finest level: lines between the middles of its pixels. */
function interpolate(found, { low, high, power }, x, from) {
  const at = Math.max(from - 0.5, 0);
  const i = Math.floor(at);
  const j = Math.min(i + 1, low.length - 1);
  const share = at - i;
  const between = (values, a, b) => values[a] + (values[b] - values[a]) * share;
  found.low[x] = between(low, i, j);
  found.high[x] = between(high, i, j);
  for (let band = 0; band < N_BANDS; band++) {
    found.power[band][x] = between(power, i * N_BANDS + band, j * N_BANDS + band);
  }
}

/** Turn a grey picture into one colour on transparent ground, so that it fits both themes. */
export async function tintSpectrogram(blob, colour) {
  const picture = await createImageBitmap(blob);
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(picture, 0, 0);
  const image = context.getImageData(0, 0, picture.width, picture.height);
  const [r, g, b] = channels(colour);
  for (let i = 0; i < image.data.length; i += 4) {
    const level = image.data[i];
    image.data.set([r, g, b, level], i);
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** Draw the part of a tinted spectrogram that is on screen. */
export function drawSpectrogram({ context, width, height }, picture, viewport) {
  const perFrame = picture.width / viewport.frames;
  context.imageSmoothingQuality = 'high';
  context.drawImage(
    picture,
    viewport.start * perFrame,
    0,
    width * viewport.framesPerPx * perFrame,
    picture.height,
    0,
    0,
    width,
    height,
  );
}
