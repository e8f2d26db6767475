/** The keys of the player, and their list for the help. */

import { t } from '../../language.js';

/** Keys and what they do. */
export const keys = () => [
  [t('Space'), t('Play or pause')],
  ['← →', t('Back or forward 5 s')],
  [t('Shift + ← →'), t('Back or forward a bar')],
  [t('Home, End'), t('Start, end')],
  ['1 – 9', t('Mute a lane')],
  [t('Shift + 1 – 9'), t('Solo a lane (with Ctrl: this one only)')],
  [t('[ or I, ] or O'), t('Loop start, loop end here')],
  ['L', t('Loop on or off')],
  ['+ −', t('Zoom in or out')],
  ['0', t('Show the whole track')],
  ['A', t('Mix or original, equally loud')],
  ['K', t('Click on or off')],
  ['T', t('Tap the tempo, to correct it')],
  ['V', t('Waveform, bands or spectrum')],
  ['?', t('This list')],
];

const STEP_S = 5;
const EDITABLE = 'input:not([type=range]), textarea, select, [contenteditable=""], [contenteditable=true]';
const PRESSABLE = 'button, a, summary, [role=button], [role=tab], [role=option], [role=menuitem]';

/** Listen for the player's keys until `signal` aborts. `actions` does what they ask for. */
export function listen(actions, signal) {
  document.addEventListener('keydown', (event) => handle(event, actions), { signal });
}

/** Whether a key is meant for the page: nobody types, no dialog is open, nothing took it. */
export function isShortcut(event) {
  const target = event.composedPath()[0];
  if (event.defaultPrevented || event.altKey || !(target instanceof Element)) return false;
  if (target.closest(EDITABLE)) return false;
  if (document.querySelector('[role=dialog][aria-modal=true], [data-testid=stDialog]')) return false;
  return !(target.closest(PRESSABLE) && (event.key === ' ' || event.key === 'Enter'));
}

function handle(event, actions) {
  if (!isShortcut(event)) return;
  const action = find(event, actions);
  if (action === null) return;
  event.preventDefault();
  if (!event.repeat || ['ArrowLeft', 'ArrowRight', '+', '-', '='].includes(event.key)) action();
}

function find(event, actions) {
  const { key, code, shiftKey, ctrlKey, metaKey } = event;
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(code);
  if (digit && (shiftKey || !(ctrlKey || metaKey))) {
    const lane = Number(digit[1]) - 1;
    return shiftKey ? () => actions.solo(lane, ctrlKey || metaKey) : () => actions.mute(lane);
  }
  if (ctrlKey || metaKey) return null;
  const found = {
    ' ': actions.toggle,
    ArrowLeft: () => (shiftKey ? actions.stepBars(-1) : actions.stepSeconds(-STEP_S)),
    ArrowRight: () => (shiftKey ? actions.stepBars(1) : actions.stepSeconds(STEP_S)),
    Home: actions.toStart,
    End: actions.toEnd,
    '[': actions.loopStart,
    i: actions.loopStart,
    ']': actions.loopEnd,
    o: actions.loopEnd,
    l: actions.toggleLoop,
    '+': actions.zoomIn,
    '=': actions.zoomIn,
    '-': actions.zoomOut,
    0: actions.fit,
    a: actions.toggleOriginal,
    k: actions.toggleClick,
    v: actions.nextView,
    '?': actions.help,
  }[key.length === 1 ? key.toLowerCase() : key];
  return found ?? null;
}
