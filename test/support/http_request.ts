import http from 'node:http';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
  /** What the text says, if it is JSON. */
  readonly body: Record<string, unknown>;
}

/**
 * A request with any headers, such as another `Host`, and with a body for any method: `fetch` would not send them all.
 *
 * @param headers - those that are undefined are left out
 */
export function httpRequest(
  method: string,
  url: string | URL,
  headers: Readonly<Record<string, http.OutgoingHttpHeader | undefined>> = {},
  sent: string | Buffer = '',
): Promise<HttpAnswer> {
  const length = sent.length === 0 ? {} : { 'Content-Length': Buffer.byteLength(sent) };
  const given = Object.entries({ ...length, ...headers }).filter(([, value]) => value !== undefined);
  return new Promise((resolve, reject) => {
    const options = { method, headers: Object.fromEntries(given) as http.OutgoingHttpHeaders, agent: false };
    const request = http.request(url, options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('error', reject).on('end', () => {
        const { statusCode: status = 0, headers } = response;
        const isJson = text !== '' && (headers['content-type'] ?? '').includes('json');
        resolve({ status, headers, text, body: isJson ? (JSON.parse(text) as HttpAnswer['body']) : {} });
      });
    });
    request.on('error', reject).end(sent);
  });
}
