/** One tab stop for each toolbar: arrow keys move inside it (ARIA Authoring Practices, Toolbar). */

const CONTROLS = 'button, input, a[href], select';

/** Let left and right move in the toolbar, up and down on buttons between the toolbars. */
export function makeRoving(toolbars) {
  for (const toolbar of toolbars) {
    const controls = () => [...toolbar.querySelectorAll(CONTROLS)].filter((c) => c.offsetParent !== null);
    for (const [i, control] of [...toolbar.querySelectorAll(CONTROLS)].entries()) {
      control.tabIndex = i === 0 ? 0 : -1;
    }
    toolbar.addEventListener('focusin', (event) => {
      for (const control of controls()) control.tabIndex = control === event.target ? 0 : -1;
    });
    // Before the sliders' own keys: left and right move on, up and down change a slider.
    toolbar.addEventListener(
      'keydown',
      (event) => {
        const here = event.target;
        const all = controls();
        const target = {
          ArrowLeft: () => all[all.indexOf(here) - 1],
          ArrowRight: () => all[all.indexOf(here) + 1],
          Home: () => all[0],
          End: () => all.at(-1),
          ArrowUp: () => beside(toolbars, toolbar, here, -1),
          ArrowDown: () => beside(toolbars, toolbar, here, 1),
        }[event.key];
        const changesValue = here.type === 'range' && event.key.match(/^Arrow(Up|Down)$/);
        if (target === undefined || changesValue || event.ctrlKey || event.metaKey) return;
        event.preventDefault();
        event.stopPropagation();
        target()?.focus();
      },
      { capture: true },
    );
  }
}

/** The control of the same kind in the toolbar above or below. */
function beside(toolbars, toolbar, control, step) {
  const visible = toolbars.filter((t) => t.offsetParent !== null);
  const other = visible[visible.indexOf(toolbar) + step];
  return other?.querySelector(`.${control.classList[0]}`);
}
