/** One row of the table; rows are used again as they scroll out of sight. */

import { h } from '../elements.js';
import { COLUMNS, textOf } from './columns.js';

export const STARS = 5;
const NOTE = 'M9 3v10.6A3.5 3.5 0 1 0 11 17V7h6V3z';
const STAR = 'M12 2.6l2.9 6.1 6.6.9-4.8 4.6 1.2 6.6L12 17.6l-5.9 3.2 1.2-6.6L2.5 9.6l6.6-.9z';

export class Row {
  /**
   * @param {Object} data words, colours (of Camelot codes), minConfidence (of what is not doubtful)
   * @param {function(string): string} link the URL of a path of the API
   */
  constructor({ words, colours, minConfidence }, link) {
    this.words = words;
    this.colours = colours;
    this.minConfidence = minConfidence;
    this.link = link;
    this.track = null;
    this.check = h('span', { class: 'check', 'aria-hidden': 'true' });
    this.image = h('img', { alt: '', loading: 'lazy', decoding: 'async', hidden: true });
    this.image.addEventListener('error', () => { this.image.hidden = true; });
    this.open = h('button', { type: 'button', class: 'cover', tabindex: '-1', 'data-act': 'open' }, drawing(NOTE), this.image);
    this.cells = COLUMNS.map((column) => {
      const cell = h('div', { role: 'gridcell', class: `cell ${column.name}${column.isNumber ? ' number' : ''}`, 'data-column': column.name });
      if (column.name === 'rating') cell.append(...stars());
      return cell;
    });
    const select = h('div', { role: 'gridcell', class: 'cell select', 'data-act': 'select' }, this.check);
    const cover = h('div', { role: 'gridcell', class: 'cell' }, this.open);
    [select, cover, ...this.cells].forEach((cell, i) => cell.setAttribute('aria-colindex', String(i + 1)));
    this.root = h('div', { role: 'row', class: 'row' }, select, cover, ...this.cells);
  }

  show(track, index, { isSelected, isActive, column }) {
    const { root } = this;
    this.track = track ?? null;
    this.index = index;
    root.setAttribute('aria-rowindex', String(index + 2));
    for (const cell of this.cells) cell.id = `${cell.dataset.column}-${index}`;
    root.classList.toggle('waiting', track === undefined);
    root.classList.toggle('active', isActive);
    root.classList.toggle('missing', track?.is_missing === true && track.stems.length === 0);
    root.setAttribute('aria-selected', String(isSelected));
    this.cells.forEach((cell, i) => {
      cell.classList.toggle('active', isActive && COLUMNS[i].name === column);
      if (!cell.classList.contains('editing')) this.fill(cell, COLUMNS[i], track);
    });
    const url = track?.thumbnail_url ? this.link(track.thumbnail_url) : null;
    if (this.image.getAttribute('src') !== url) {
      this.image.hidden = url === null;
      if (url === null) this.image.removeAttribute('src');
      else this.image.src = url;
    }
    const label = track ? this.words.open.replace('{title}', track.title) : '';
    if (this.open.getAttribute('aria-label') !== label) {
      this.open.setAttribute('aria-label', label);
      this.open.title = label;
    }
  }

  fill(cell, column, track) {
    if (column.name === 'rating') {
      fillStars(cell, track?.rating ?? null, this.words);
      return;
    }
    const text = track ? textOf(column, track) : '';
    if (cell.textContent !== text) {
      cell.textContent = text;
      cell.title = text;
    }
    if (column.name === 'title' && this.root.classList.contains('missing')) cell.title = `${text} · ${this.words.missing}`;
    cell.classList.toggle('corrected', isCorrected(column, track));
    const confidence = column.certainty && track?.[column.name] ? track[column.certainty] : null;
    const isDoubtful = confidence !== null && confidence < this.minConfidence;
    cell.classList.toggle('doubtful', isDoubtful);
    if (isDoubtful) cell.title = this.words.uncertain.replace('{n}', Math.round(100 * confidence));
    if (column.name === 'camelot') cell.style.setProperty('--key', this.colours[track?.camelot] ?? 'transparent');
    if (column.name === 'energy') cell.style.setProperty('--energy', `${10 * (track?.energy ?? 0)}%`);
  }
}

function isCorrected(column, track) {
  const names = { tempo_bpm: ['tempo_bpm', 'grid'], camelot: ['key'] }[column.name] ?? [column.name];
  return names.some((name) => track?.corrected.includes(name));
}

function stars() {
  return Array.from({ length: STARS }, (_, i) =>
    h('button', { type: 'button', class: 'star', tabindex: '-1', 'data-act': 'rate', 'data-stars': String(i + 1) }, drawing(STAR)),
  );
}

function fillStars(cell, rating, words) {
  const label = words.stars.replace('{n}', rating ?? 0);
  if (cell.getAttribute('aria-label') === label) return;
  cell.setAttribute('aria-label', label);
  [...cell.children].forEach((star, i) => {
    star.classList.toggle('lit', i < (rating ?? 0));
    star.setAttribute('aria-label', words.stars.replace('{n}', i + 1));
  });
}

function drawing(path) {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const line = document.createElementNS(space, 'path');
  line.setAttribute('d', path);
  svg.append(line);
  return svg;
}
