import { Problem } from './problems.js';

/**
 * Calls the server.
 *
 * @throws Problem - the code that the server gave, `unreachable` if it gave no answer, or `failed` if it was none of ours
 */
export async function call(name, body = {}) {
  let response;
  let answer;
  try {
    response = await fetch(`api/${name}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      cache: 'no-store',
    });
    answer = await response.json();
  } catch {
    // Without an answer it is the connection; without JSON it is somebody between, such as a proxy.
    throw new Problem(response === undefined || response.status >= 502 ? 'unreachable' : 'failed');
  }
  if (!response.ok) throw new Problem(answer.error, answer.retryAfter);
  return answer;
}
