/** Requests to the API, which wait for a server that is away. */

import { t } from '../../language.js';

/** What a page says meanwhile. */
export const awayWords = () => t('The server is away, trying again');

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8000;
/** What the workbench's server answers while the API is away, or others in between. */
const AWAY = new Set([502, 503, 504]);

/** A request that the API refused, with its own words and its `code`. */
export class ApiError extends Error {
  constructor(status, problem) {
    super([problem?.detail ?? t('The server answers {status}.', { status }), problem?.hint ?? ''].join(' ').trim());
    this.code = problem?.code ?? null;
    this.status = status;
  }
}

/** The server did not answer. */
export class Away extends Error {
  constructor() {
    super(t('The server is away'));
  }
}

/** Whether the server answered last; dispatches `change`. */
class Connection extends EventTarget {
  isAway = false;

  report(isAway) {
    if (isAway === this.isAway) return;
    this.isAway = isAway;
    this.dispatchEvent(new Event('change'));
  }
}

export const connection = new Connection();

/** How long to wait after so many failures in a row, from 1: twice as long each time. */
export function backOff(failures) {
  return Math.min(FIRST_WAIT_MS * 2 ** (failures - 1), LONGEST_WAIT_MS);
}

/**
 * Fetch once. Throws `Away`, or `ApiError` if the API refuses.
 *
 * @returns {Promise<Response>}
 */
export async function fetchOnce(url, options = {}) {
  let answer;
  try {
    answer = await fetch(url, options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    connection.report(true);
    throw new Away();
  }
  connection.report(AWAY.has(answer.status));
  if (connection.isAway) throw new Away();
  if (answer.ok) return answer;
  throw new ApiError(answer.status, await answer.json().catch(() => null));
}

/** Fetch, and while the server is away, again, until `signal` aborts. */
export async function fetchPatiently(url, options = {}) {
  for (let failures = 1; ; failures++) {
    try {
      return await fetchOnce(url, options);
    } catch (error) {
      if (!(error instanceof Away)) throw error;
      await pause(backOff(failures), options.signal);
    }
  }
}

/** Fetch JSON: a read patiently, a write once, as it may have had its effect. */
export async function ask(url, options = {}) {
  const isRead = (options.method ?? 'GET') === 'GET';
  const answer = await (isRead ? fetchPatiently(url, options) : fetchOnce(url, options));
  return answer.json();
}

function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
