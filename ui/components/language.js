/** Texts in the reader's language; the English ones are in the code, as in `ui/language.py`. */

const translations = new Map();

/** Learn translations by their English texts: `words` of a component's data. */
export function learn(words) {
  for (const [text, translation] of Object.entries(words)) translations.set(text, translation);
}

/** Return a text in the reader's language, with values put in for their names in braces. */
export function t(text, values = {}) {
  return (translations.get(text) ?? text).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}
