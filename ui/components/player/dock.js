/** The dock as a Streamlit component, and the links between pages, which must not end the sound. */

import { h } from '../elements.js';
import { learn } from '../language.js';
import { DockView } from './view/dock.js';

const mounted = new WeakMap();

/**
 * Mount the dock. Data: `page`, the path of a track's page, `language` of the page around, and
 * `words` (translations). Trigger `follow`: path and parameters of a link that was clicked (`<a data-page>`): loading it anew would end the sound.
 */
export default function mount({ data, parentElement, setTriggerValue }) {
  learn(data.words);
  document.documentElement.lang = data.language;
  const known = mounted.get(parentElement);
  if (known !== undefined) return known;
  const abort = new AbortController();
  const address = (session) => {
    const { job_id: job, index, track_id: id } = session.track.facts;
    return `${data.page}?${new URLSearchParams(job === null ? { id } : { job, track: index })}`;
  };
  const view = new DockView(address);
  const root = h('div', { class: 'root' }, view.element);
  parentElement.append(root);
  view.refresh();
  document.addEventListener('click', (event) => follow(event, data.page, setTriggerValue), {
    capture: true,
    signal: abort.signal,
  });
  const unmount = () => {
    abort.abort();
    view.close();
    root.remove();
    mounted.delete(parentElement);
  };
  mounted.set(parentElement, unmount);
  return unmount;
}

/** Let the server switch to the page of a plain click on a link to a track. */
function follow(event, page, setTriggerValue) {
  if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const link = event.composedPath().find((node) => node instanceof HTMLAnchorElement && node.href);
  if (link === undefined || link.hasAttribute('download')) return;
  const url = new URL(link.href, location.href);
  if (url.origin !== location.origin || url.pathname !== page) return;
  event.preventDefault();
  event.stopPropagation();
  setTriggerValue('follow', Object.fromEntries(url.searchParams));
}
