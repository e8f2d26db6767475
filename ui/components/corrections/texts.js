/** Key, title, artist, rating and comment. */

import { h } from '../elements.js';
import { t } from '../language.js';
import { button, setPressed, setText } from '../player/view/dom.js';
import { entry, replaced, row } from './field.js';

const MOST_STARS = 5;

/** @param {[string, string][]} keys Camelot codes with their names, in order */
export function keyRow(overlay, keys) {
  const none = h('option', { value: '' }, t('unknown'));
  const select = h(
    'select',
    { 'aria-label': t('Key'), onchange: () => select.value && overlay.correct({ key: select.value }) },
    none,
    ...keys.map(([camelot, name]) => h('option', { value: camelot }, `${camelot} · ${name}`)),
  );
  const found = (track) => {
    const key = replaced(track, 'key');
    return key ? `${replaced(track, 'camelot')} · ${key}` : t('unknown');
  };
  return refreshed(row(overlay, { label: t('Key'), names: ['key'], found }, select), () => {
    const { camelot } = overlay.track.facts;
    none.hidden = camelot !== null && camelot !== undefined;
    select.value = camelot ?? '';
  });
}

/** @param {{name: string, label: string, tag?: string, limit: number}} field */
export function textRow(overlay, { name, label, tag = 'input', limit }) {
  const input = entry(tag, {
    label,
    maxlength: limit,
    ...(tag === 'input' ? { type: 'text' } : { rows: 2 }),
    read: () => overlay.track[name] ?? '',
    write: (text) => overlay.correct({ [name]: text }),
  });
  const found = (track) => replaced(track, name) ?? track.corrections.tags[name] ?? t('none');
  return refreshed(row(overlay, { label, names: [name], found, source: t('In the file') }, input), () => input.refresh());
}

export function ratingRow(overlay) {
  const stars = Array.from({ length: MOST_STARS }, (_, i) =>
    button({
      text: '☆',
      label: i === 0 ? t('1 star') : t('{n} stars', { n: i + 1 }),
      class: 'star',
      onclick: () => overlay.correct({ rating: overlay.track.rating === i + 1 ? null : i + 1 }),
    }),
  );
  const group = h('div', { class: 'stars', role: 'group', 'aria-label': t('Stars') }, ...stars);
  return refreshed(row(overlay, { label: t('Rating'), names: ['rating'] }, group), () => {
    const rating = overlay.track.rating ?? 0;
    stars.forEach((star, i) => {
      setPressed(star, i + 1 === rating);
      setText(star, i < rating ? '★' : '☆');
      star.classList.toggle('is-lit', i < rating);
    });
  });
}

function refreshed(element, refresh) {
  const inner = element.refresh;
  element.refresh = () => {
    inner();
    refresh();
  };
  return element;
}
