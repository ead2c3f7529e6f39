// A stand-in for Authy in a process of its own, which takes every approval request and never has an answer to one. It
// sends its address first, and then, now and then, how many requests it has taken.
import http from 'node:http';
import type { AddressInfo } from 'node:net';

let taken = 0;
let told = 0;
const server = http.createServer((request, response) => {
  const url = request.url ?? '';
  const [, user] = /users\/(\d+)\/approval_requests$/.exec(url) ?? [];
  const [, asked] = /approval_requests\/([\w-]+)$/.exec(url) ?? [];
  request.resume().on('end', () => {
    if (asked === undefined) taken += 1;
    // The id contains the user, so that nothing has to be remembered here.
    const approval =
      asked === undefined
        ? { uuid: `00000000-0000-4000-8000-${String(user).padStart(12, '0')}` }
        : { uuid: asked, status: 'pending', _authy_id: Number(asked.slice(-12)) };
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
