/** The bytes in use on the heap after a garbage collection. */
export function heapUsed(): number {
  if (globalThis.gc === undefined) throw new Error('It needs --expose-gc, which npm run bench gives it.');
  for (let round = 0; round < 3; round++) globalThis.gc();
  return process.memoryUsage().heapUsed;
}
