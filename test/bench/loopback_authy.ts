// A stand-in for Authy in a process of its own, which always answers "Token is valid." It does as little work as it can,
// because it shares the processors with the clients that are measured: it only looks for the end of each request.
import net from 'node:net';
import tls from 'node:tls';
import type { FromServer, ToServer } from './loopback_process';

const body = '{"success":"true","token":"is valid","message":"Token is valid."}';
const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
const answer = Buffer.from(`${head}\r\n${body}`);
const lastAnswer = Buffer.from(`${head}Connection: close\r\n\r\n${body}`);

let connections = 0;
let requests = 0;
const held = new Set<net.Socket>();

function tell(message: FromServer): void {
  process.send?.(message);
}

function serve(socket: net.Socket): void {
  let unfinished = '';
  connections += 1;
  socket.setNoDelay(true);
  socket.on('data', (bytes: Buffer) => {
    const texts = (unfinished + bytes.toString('latin1')).split('\r\n\r\n');
    unfinished = texts.pop() ?? '';
    for (const request of texts) {
      requests += 1;
      // Requests below this path wait until all of them are answered at once.
      if (request.startsWith('GET /held/')) held.add(socket);
      else if (/\r\nconnection: close/i.test(request)) socket.end(lastAnswer);
      else socket.write(answer);
    }
  });
  // A client that went away needs no answer.
  socket.on('error', () => socket.destroy());
  socket.on('close', () => held.delete(socket));
}

process.on('message', (message: ToServer) => {
  if (message.kind === 'listen') {
    const server = message.tls === undefined ? net.createServer(serve) : tls.createServer(message.tls, serve);
    server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
      tell({ kind: 'listening', port: (server.address() as net.AddressInfo).port });
    });
  } else if (message.kind === 'count') {
    tell({ kind: 'counts', connections, requests, held: held.size });
  } else {
    // The next measurement has to begin without connections.
    for (const socket of held) socket.end(lastAnswer);
    held.clear();
  }
});
process.once('disconnect', () => process.exit());
