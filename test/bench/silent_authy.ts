// An Authy in a process of its own that takes every approval request and never has an answer. It tells its address
// first, and then how many requests it has taken, now and then.
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

let taken = 0;
let told = 0;
const server = http.createServer((request, response) => {
  const asked = /approval_requests\/([\w-]+)$/.exec(request.url ?? '')?.[1];
  request.resume().on('end', () => {
    if (asked === undefined) taken += 1;
    const approval =
      asked === undefined ? { uuid: randomUUID() } : { uuid: asked, status: 'pending', _authy_id: 209 };
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ success: true, approval_request: approval }));
  });
});
server.listen(0, '127.0.0.1', () => {
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
setInterval(() => {
  if (taken !== told) process.send?.(taken);
  told = taken;
}, 5);
process.once('disconnect', () => process.exit());
