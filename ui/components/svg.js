/** Builds drawings without markup, as `h` builds elements. */

const SPACE = 'http://www.w3.org/2000/svg';

/** Make an SVG element; functions become listeners, `null` and `false` are left out. */
export function s(name, properties = {}, ...children) {
  const element = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== false));
  return element;
}

/** Path through points, with a gap where one is null. */
export function pathOf(points) {
  let isDrawing = false;
  let path = '';
  for (const point of points) {
    if (point !== null) path += `${isDrawing ? 'L' : 'M'}${point[0].toFixed(1)} ${point[1].toFixed(1)}`;
    isDrawing = point !== null;
  }
  return path;
}
