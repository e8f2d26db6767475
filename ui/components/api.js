/** Requests to the API, and its refusals. */

/** A refusal of the API (RFC 9457), or its absence: `isAway`. */
export class Refusal extends Error {
  constructor(status, problem) {
    super(problem.detail ?? `HTTP ${status}`);
    this.status = status;
    this.code = problem.code ?? '';
    this.hint = problem.hint ?? '';
    this.isAway = status === 0 || status === 502 || status === 503;
  }

  /** What people read: the message with its hint. */
  get words() {
    return [this.message, this.hint].filter(Boolean).join(' ');
  }
}

export class Api {
  /**
   * @param {string} base path below which the API answers
   * @param {string} away what is said when it does not
   */
  constructor(base, away) {
    this.base = base;
    this.away = away;
  }

  url(path) {
    return this.base + path;
  }

  /**
   * Send a request; return the JSON of its answer, null if there is none.
   * @throws {Refusal}
   */
  async ask(method, path, options = {}) {
    const answer = await this.send(method, path, options);
    return answer.status === 204 ? null : answer.json();
  }

  /**
   * Send a request; return its answer, whatever it holds.
   * @throws {Refusal}
   */
  async send(method, path, { body = undefined, version = null, signal = undefined } = {}) {
    const headers = body === undefined ? {} : { 'Content-Type': 'application/json' };
    if (version !== null) headers['If-Match'] = `"${version}"`;
    let answer;
    try {
      answer = await fetch(this.url(path), {
        method,
        headers,
        signal,
        body: body === undefined ? undefined : JSON.stringify(body),
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new Refusal(0, { detail: this.away });
    }
    if (answer.ok) return answer;
    const problem = await answer.json().catch(() => ({}));
    throw new Refusal(answer.status, answer.status === 502 || answer.status === 503 ? { ...problem, detail: this.away, hint: '' } : problem);
  }
}

/** Path of a track below the API. */
export function trackPath(id, ...rest) {
  return ['/library/tracks', encodeURIComponent(id), ...rest].join('/');
}
