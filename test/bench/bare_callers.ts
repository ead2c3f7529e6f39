import http from 'node:http';
import axios from 'axios';
import { Pool } from 'undici';
import { apiKey, type Caller, checkAnswer, verifyPath } from './call';

const headers = { 'X-Authy-API-Key': apiKey, Accept: 'application/json' };

/** The names of the two callers that only send and receive bytes. */
export const bareNames = ['bare undici', 'bare node:http'] as const;

/**
 * Plain HTTP clients that keep their connections, with nothing around them but parsing the answer.
 *
 * @param url - of the server: scheme, host and port
 * @param inFlight - for undici, which is told how many connections to open
 */
export function bareCallers(url: string, inFlight: number): Caller[] {
  return [bareUndici(url, inFlight), bareHttp(url), bareAxios(url)];
}

function bareUndici(url: string, connections: number): Caller {
  const pool = new Pool(url, { connections, keepAliveTimeout: 60_000 });
  return {
    name: bareNames[0],
    async call() {
      const { statusCode, body } = await pool.request({ method: 'GET', path: verifyPath, headers });
      checkAnswer(statusCode, await body.json());
    },
  };
}

function bareHttp(url: string): Caller {
  const agent = new http.Agent({ keepAlive: true });
  const address = url + verifyPath;
  const get = (): Promise<[number, string]> =>
    new Promise((resolve, reject) => {
      http
        .get(address, { agent, headers }, (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (part: string) => (text += part));
          response.on('end', () => resolve([response.statusCode ?? 0, text]));
          response.on('error', reject);
        })
        .on('error', reject);
    });
  return {
    name: bareNames[1],
    async call() {
      const [statusCode, text] = await get();
      checkAnswer(statusCode, JSON.parse(text));
    },
  };
}

function bareAxios(url: string): Caller {
  const client = axios.create({
    adapter: 'http',
    headers,
    httpAgent: new http.Agent({ keepAlive: true }),
    proxy: false,
  });
  const address = url + verifyPath;
  return {
    name: 'bare axios',
    async call() {
      const { status, data } = await client.get<unknown>(address);
      checkAnswer(status, data);
    },
  };
}
