/** Sends one file to the API in parts that survive cut connections (tus 1.0). */

const PART_BYTES = 8 * 1024 * 1024;
const VERSION = { 'Tus-Resumable': '1.0.0' };
const PAUSES_MS = [500, 1000, 2000, 4000, 8000, 15000];
const PASSING = new Set([0, 408, 409, 423, 429, 460, 500, 502, 503, 504]);

/**
 * States: `waiting` for its turn, `sending`, `paused`, `retrying` until the API answers, `done`,
 * `refused` with a reason.
 */
export class Transfer {
  /**
   * @param {File} file
   * @param {string} url of the API's uploads
   * @param {string | null} id of an upload of the same file that was interrupted
   * @param {() => void} onChange
   */
  constructor(file, url, id, onChange) {
    this.file = file;
    this.id = id;
    this.sent = 0;
    this.state = 'waiting';
    this.reason = '';
    this.url = url;
    this.onChange = onChange;
    this.request = null;
    this.wake = null;
    this.isActive = false;
    this.isLocated = false; // whether `sent` is where the API stands
  }

  /** Send until the file has arrived, is paused or is refused. */
  async run() {
    if (this.isActive || this.state === 'done' || this.state === 'refused') return;
    this.isActive = true;
    this.become('sending');
    let nFailures = 0;
    try {
      while (this.state === 'sending' || this.state === 'retrying') {
        const before = this.sent;
        const answer = await this.step();
        if (this.state === 'paused') break;
        if (answer.status >= 200 && answer.status < 300) {
          nFailures = 0;
          this.become(this.id !== null && this.sent === this.file.size ? 'done' : 'sending');
        } else if (answer.status === 404 && this.id !== null) {
          this.id = null; // it has expired: from the start
          this.sent = 0;
        } else if (PASSING.has(answer.status)) {
          nFailures = this.sent > before ? 0 : nFailures + 1;
          this.become('retrying');
          await this.rest(PAUSES_MS[Math.min(nFailures, PAUSES_MS.length) - 1] ?? PAUSES_MS[0]);
        } else {
          this.refuse(detailOf(answer));
        }
      }
    } finally {
      this.isActive = false;
    }
  }

  pause() {
    this.become('paused');
    this.request?.abort();
    this.wake?.();
  }

  /** Go on in a moment: the next state is told by `run`. */
  resume() {
    if (this.state === 'paused') this.become('waiting');
  }

  refuse(reason) {
    this.reason = reason;
    this.become('refused');
  }

  /** Stop, and delete at the API what has arrived. */
  discard() {
    this.pause();
    if (this.id !== null) {
      fetch(`${this.url}/${this.id}`, { method: 'DELETE', headers: VERSION }).catch(() => {});
    }
  }

  become(state) {
    if (this.state === 'paused' && state !== 'waiting' && state !== 'refused') return;
    this.state = state;
    this.onChange();
  }

  /** One request: create the upload, ask where it stands, or send a part. */
  async step() {
    if (this.id === null) return this.create();
    if (!this.isLocated) return this.lookWhereItStands();
    return this.sendPart();
  }

  async create() {
    const headers = {
      ...VERSION,
      'Upload-Length': this.file.size,
      'Upload-Metadata': `filename ${encode(this.file.name)}`,
    };
    const answer = await this.ask('POST', this.url, headers);
    if (answer.status === 201) {
      this.id = JSON.parse(answer.responseText).id;
      this.isLocated = true;
    }
    return answer;
  }

  async lookWhereItStands() {
    const answer = await this.ask('HEAD', `${this.url}/${this.id}`, VERSION);
    if (answer.status === 200) {
      this.sent = Number(answer.getResponseHeader('Upload-Offset'));
      this.isLocated = true;
      this.onChange();
    } else {
      this.isLocated = false;
    }
    return answer;
  }

  async sendPart() {
    const start = this.sent;
    const part = this.file.slice(start, start + PART_BYTES);
    const headers = {
      ...VERSION,
      'Content-Type': 'application/offset+octet-stream',
      'Upload-Offset': start,
    };
    const answer = await this.ask('PATCH', `${this.url}/${this.id}`, headers, part, (loaded) => {
      this.sent = start + loaded;
      this.onChange();
    });
    if (answer.status === 204) this.sent = Number(answer.getResponseHeader('Upload-Offset'));
    else this.isLocated = false;
    return answer;
  }

  /** Send a request; its status is 0 if nothing answered. */
  ask(method, url, headers, body = null, onSent = null) {
    return new Promise((resolve) => {
      const request = new XMLHttpRequest();
      this.request = request;
      request.open(method, url);
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      if (onSent !== null) request.upload.onprogress = (event) => onSent(event.loaded);
      request.onloadend = () => {
        this.request = null;
        resolve(request);
      };
      request.send(body);
    });
  }

  rest(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(done, ms);
      const wake = done;
      function done() {
        clearTimeout(timer);
        window.removeEventListener('online', wake);
        resolve();
      }
      this.wake = wake;
      window.addEventListener('online', wake);
    });
  }
}

function encode(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

function detailOf(answer) {
  try {
    const problem = JSON.parse(answer.responseText);
    return [problem.detail, problem.hint].filter(Boolean).join(' ');
  } catch {
    return `${answer.status} ${answer.statusText}`;
  }
}
