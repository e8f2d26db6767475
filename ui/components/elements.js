/** Builds elements without markup: texts from tags and file names are never parsed. */

/**
 * Make an element. Functions become listeners (`onclick`), booleans attributes that are there or
 * not, `null` and `undefined` are left out; children that are `null` or `false`, too.
 * @param {string} name tag name
 * @param {Object} properties attributes and listeners
 * @param {...(Node|string|null|false)} children nodes or texts
 */
export function h(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children.filter((child) => child !== null && child !== false));
  return element;
}
