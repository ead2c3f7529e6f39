// Loaded into a Node-RED by NODE_OPTIONS: tells on MEMORY_PROBE_PORT how much memory is left once all garbage is collected.
import http from 'node:http';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';
import v8 from 'node:v8';
import vm from 'node:vm';

v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc');

http
  .createServer(async (_request, response) => {
    // What ends only in a later turn is garbage only then.
    for (let turn = 0; turn < 5; turn++) {
      collect();
      await setTimeout(50);
    }
    const { heapUsed, external, rss } = process.memoryUsage();
    const peak = process.resourceUsage().maxRSS * 1024;
    response.end(JSON.stringify({ held: heapUsed + external, rss, peak }));
  })
  // A process that Node-RED starts inherits the options, and needs no probe of its own.
  .on('error', () => undefined)
  .listen(Number(process.env.MEMORY_PROBE_PORT), '127.0.0.1')
  .unref();
