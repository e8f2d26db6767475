/** Corrections by hand as a Streamlit component, beside the player of the same track. */

import { h } from '../elements.js';
import { learn } from '../language.js';
import { Commands } from '../player/model/commands.js';
import { openSession, Session } from '../player/model/session.js';
import { fetchTrack, silentTrack } from '../player/model/track.js';
import { Overlay } from './overlay.js';
import { Panel } from './panel.js';

/** The page around takes corrected facts over when nothing was corrected for so long. */
const TELL_AFTER_MS = 800;
const mounted = new WeakMap();

/**
 * Mount the panel. Data: `api` (path of the API), `path` (of the track that plays), `id` (of the track in
 * the library), `job` that adds it to the library (or null), `keys` (Camelot codes with names), `words` (translations). Trigger `changed`: the version of the track after
 * corrections, for the page to show it.
 */
export default function mount({ data, parentElement, setTriggerValue }) {
  learn(data.words);
  const key = data.path;
  const known = mounted.get(parentElement);
  if (known?.key === key) return known.unmount;
  known?.unmount();
  const abort = new AbortController();
  const { signal } = abort;
  const root = h('div', { class: 'root' });
  parentElement.append(root);
  let telling = 0;
  const unmount = () => {
    abort.abort();
    clearTimeout(telling);
    root.remove();
    mounted.delete(parentElement);
  };
  mounted.set(parentElement, { key, unmount });
  void orSay(open());
  return unmount;

  async function orSay(work) {
    try {
      await work;
    } catch (error) {
      if (!signal.aborted) root.append(h('p', { role: 'alert' }, error.message));
    }
  }

  async function open() {
    const overlay = new Overlay(data.api, data.job, data.id, signal);
    const session = await findSession(overlay);
    root.append(new Panel(overlay, new Commands(session), data.keys, signal).element);
    await overlay.load();
    let shown = overlay.track?.version;
    overlay.addEventListener('change', () => {
      const version = overlay.track?.version;
      if (version === shown) return;
      shown = version;
      void orSay(follow(session, version));
    }, { signal });
  }

  /** The session of the player; where the file is gone, one without sound. */
  async function findSession(overlay) {
    try {
      return openSession(await fetchTrack(data.api, data.path, { signal }));
    } catch (error) {
      if (error.code !== 'artefact_not_found') throw error;
      await overlay.load();
      if (overlay.track === null) throw error;
      return new Session(silentTrack(data.api, overlay.track));
    }
  }

  /** Let the player, and then the page, show what was corrected. */
  async function follow(session, version) {
    if (session.track.lanes.length > 0) {
      const { facts } = await fetchTrack(data.api, data.path, { signal });
      session.update(facts);
    }
    clearTimeout(telling);
    telling = setTimeout(() => setTriggerValue('changed', version), TELL_AFTER_MS);
  }
}
