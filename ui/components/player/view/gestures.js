/** Pointer and wheel on the waveforms: seek, loop, zoom and pan, by mouse and by touch. */

const TAP_PX = 6;
const WHEEL_ZOOM = 0.0022;

/**
 * Waveforms: press seeks (and scrubs on), Shift+drag loops, wheel zooms, Shift+wheel pans; by touch
 * a tap seeks, a drag pans and two fingers zoom.
 *
 * @param {{viewport, seek: (frame) => void, loop: (from, to, isFree) => void}} target
 */
export function onWaves(element, target) {
  const touches = new Map();
  let drag = null;
  let pinch = null;
  const xOf = (event) => event.clientX - element.getBoundingClientRect().left;
  element.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    const x = xOf(event);
    element.setPointerCapture(event.pointerId);
    if (event.pointerType === 'touch') {
      touches.set(event.pointerId, event);
      pinch = touches.size === 2 ? distance(touches) : null;
      drag = touches.size === 1 ? { kind: 'pan', x, moved: 0 } : null;
      return;
    }
    drag = { kind: event.shiftKey ? 'loop' : 'seek', x, from: target.viewport.frameAt(x) };
    if (drag.kind === 'seek') target.seek(drag.from);
  });
  element.addEventListener('pointermove', (event) => {
    const x = xOf(event);
    if (touches.has(event.pointerId)) touches.set(event.pointerId, event);
    if (pinch !== null && touches.size === 2) {
      const next = distance(touches);
      const left = element.getBoundingClientRect().left;
      target.viewport.zoom(next.length / pinch.length, next.middle - left);
      target.viewport.pan(pinch.middle - next.middle);
      pinch = next;
    } else if (drag?.kind === 'pan') {
      target.viewport.pan(drag.x - x);
      drag = { ...drag, x, moved: drag.moved + Math.abs(drag.x - x) };
    } else if (drag?.kind === 'seek') {
      if (Math.abs(x - drag.x) >= 2) target.seek(target.viewport.frameAt(x));
    } else if (drag?.kind === 'loop' && Math.abs(x - drag.x) >= TAP_PX) {
      target.loop(drag.from, target.viewport.frameAt(x), event.altKey);
    }
  });
  const end = (event) => {
    if (event.type === 'pointerup' && drag?.kind === 'pan' && drag.moved < TAP_PX) {
      target.seek(target.viewport.frameAt(xOf(event)));
    }
    touches.delete(event.pointerId);
    if (touches.size < 2) pinch = null;
    drag = null;
  };
  element.addEventListener('pointerup', end);
  element.addEventListener('pointercancel', end);
  onWheel(element, target.viewport);
}

/** Ruler: a drag sets the loop, a press seeks. */
export function onRuler(element, target) {
  let drag = null;
  const xOf = (event) => event.clientX - element.getBoundingClientRect().left;
  element.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    const x = xOf(event);
    drag = { x, from: target.viewport.frameAt(x), isLoop: false };
  });
  element.addEventListener('pointermove', (event) => {
    if (drag === null) return;
    const x = xOf(event);
    drag.isLoop ||= Math.abs(x - drag.x) >= TAP_PX;
    if (drag.isLoop) target.loop(drag.from, target.viewport.frameAt(x), event.altKey);
  });
  element.addEventListener('pointerup', () => {
    if (drag !== null && !drag.isLoop) target.seek(drag.from);
    drag = null;
  });
  element.addEventListener('pointercancel', () => (drag = null));
  onWheel(element, target.viewport);
}

/** Wheel: zoom at the pointer; sideways or with Shift, pan. The page scrolls when nothing is left. */
export function onWheel(element, viewport) {
  element.addEventListener(
    'wheel',
    (event) => {
      const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
      if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) {
        event.preventDefault();
        viewport.pan(sideways);
        return;
      }
      if (event.deltaY > 0 && viewport.isFitted) return;
      event.preventDefault();
      const x = event.clientX - element.getBoundingClientRect().left;
      viewport.zoom(Math.exp(-event.deltaY * WHEEL_ZOOM), x);
    },
    { passive: false },
  );
}

function distance(touches) {
  const [a, b] = [...touches.values()];
  return {
    length: Math.max(Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY), 1),
    middle: (a.clientX + b.clientX) / 2,
  };
}
