/** Which tracks have their big view on screen: the dock shows what is heard but not seen. */

class OnScreen extends EventTarget {
  constructor() {
    super();
    this.sessions = new Map();
  }

  has(session) {
    return this.sessions.has(session);
  }

  add(session) {
    this.sessions.set(session, (this.sessions.get(session) ?? 0) + 1);
    this.dispatchEvent(new Event('change'));
  }

  remove(session) {
    const left = (this.sessions.get(session) ?? 1) - 1;
    if (left > 0) this.sessions.set(session, left);
    else this.sessions.delete(session);
    this.dispatchEvent(new Event('change'));
  }
}

export const onScreen = new OnScreen();
