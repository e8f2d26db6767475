/** The stem player as a Streamlit component: the big view of one track. */

import { engine } from './engine/engine.js';
import { awayWords, connection } from './model/api.js';
import { openSession } from './model/session.js';
import { fetchTrack } from './model/track.js';
import { h } from '../elements.js';
import { learn, t } from '../language.js';
import { PlayerView } from './view/player.js';

const mounted = new WeakMap();

/** For tests and the curious: `localStorage['stemcrate.debug'] = '1'` shows the engine. */
if (localStorage.getItem('stemcrate.debug') === '1') globalThis.stemcrateEngine = engine;

/**
 * Mount the player. Data: `api` (path of the API), `path` (of the track in it), `colours` (by label) and
 * `colour` for all other labels, `words` (translations). State `mix`: the mix as plain data, when it has settled; nothing
 * while it is untouched.
 */
export default function mount({ data, parentElement, setStateValue }) {
  learn(data.words);
  const key = data.path;
  const known = mounted.get(parentElement);
  if (known?.key === key) return known.unmount;
  known?.unmount();
  const message = h('p', { class: 'message', role: 'status' }, opening());
  const root = h('div', { class: 'root' }, message);
  parentElement.append(root);
  const abort = new AbortController();
  let view = null;
  const unmount = () => {
    abort.abort();
    view?.close();
    root.remove();
    mounted.delete(parentElement);
  };
  mounted.set(parentElement, { key, unmount });
  const tell = () => (message.textContent = connection.isAway ? awayWords() : opening());
  connection.addEventListener('change', tell, { signal: abort.signal });
  fetchTrack(data.api, data.path, { signal: abort.signal }).then(
    (track) => {
      const session = openSession(track);
      const report = () => setStateValue('mix', structuredClone(session.mix));
      session.addEventListener('stored', report, { signal: abort.signal });
      if (!session.isUntouched) report();
      // What is clicked next, such as "Export", is meant for the mix as it is now.
      document.addEventListener('pointerdown', () => session.settle(), { capture: true, signal: abort.signal });
      view = new PlayerView(session, (label) => data.colours[label] ?? data.colour);
      root.replaceChildren(view.element);
      view.refresh();
    },
    (error) => {
      if (abort.signal.aborted) return;
      root.replaceChildren(h('p', { class: 'message', role: 'alert' }, error.message));
    },
  );
  return unmount;
}

function opening() {
  return t('Opening the track …');
}
