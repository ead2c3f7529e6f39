import { deepStrictEqual } from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { runInNewContext } from 'node:vm';
import should from 'should';
import { readMessage, writeMessage } from '../../../nodes/lib/storage/storable';

describe('Stored messages', () => {
  const same = (message: object): void => {
    should(readMessage(writeMessage(message))).eql(message);
  };

  it('are read as they were written', () => {
    same({
      _msgid: 'a',
      topic: 'x',
      payload: { list: [1, 'two', null, true, [], {}], deep: { er: { no: -1.5 } } },
    });
    same({ payload: Buffer.from([0, 1, 254, 255]) });
    same({ payload: new Date('2026-03-01T12:00:00.123Z') });
    const { never } = readMessage(writeMessage({ never: new Date(NaN) }));
    should(never).be.a.Date();
    should((never as Date).getTime()).be.NaN();
    same({ payload: [NaN, Infinity, -Infinity, -0, 12345678901234567890n, undefined, 1] });
    same({ payload: 'ünï✓cødé \u0000 \ud83d\ude00' });
  });

  it('may hold a picture, maps, sets, errors and typed arrays', () => {
    const png = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=',
      'base64',
    );
    const within = { when: new Date(5), list: [new Set(['x', new Map([[{ key: 1 }, png]])])] };
    const payload = new Map<unknown, unknown>([['picture', png], [1, within], [undefined, NaN]]); // prettier-ignore
    deepStrictEqual(readMessage(writeMessage({ payload })), { payload });
    same({ payload: new Uint8Array([1, 2]), more: [new Float64Array([0.1, -0]), new BigInt64Array([-1n])] });
    should(readMessage(writeMessage({ bytes: new Uint8Array([7]).buffer }))).eql({
      bytes: new Uint8Array([7]).buffer,
    });
    // As function nodes make them.
    const foreign = runInNewContext(
      '({ map: new Map([[1, new Set([2])]]), error: new RangeError("far") })',
    ) as object;
    const { map, error } = readMessage(writeMessage(foreign)) as {
      map: Map<number, Set<number>>;
      error: Error;
    };
    should([...(map.get(1) ?? [])]).eql([2]);
    should(error).be.instanceof(RangeError);
  });

  it('may hold errors, with their causes and what belongs to them', () => {
    const cause = Object.assign(new TypeError('no line'), { code: 'ENOLINE', at: new Date(5) });
    const own = Object.assign(new Error('not sent', { cause }), { name: 'SendError' });
    const { payload } = readMessage(writeMessage({ payload: own })) as { payload: typeof own };
    should(payload).be.instanceof(Error);
    should(String(payload)).equal('SendError: not sent');
    should(payload.stack).equal(own.stack);
    should(payload.cause).be.instanceof(TypeError);
    should(payload.cause).have.properties({ message: 'no line', code: 'ENOLINE', at: new Date(5) });
    should(Object.keys(payload)).eql([]);
  });

  it('of an earlier version are read as that version meant them', () => {
    for (const payload of [{ $map: [[1, 2]] }, { $set: 5 }, { $error: { name: 'x' } }, { $typed: null }]) {
      should(readMessage(JSON.stringify({ payload }))).eql({ payload });
      same({ payload });
      same({ payload, map: new Map([[1, payload]]) });
    }
    should(() => readMessage('[3,{"payload":1}]')).throw(/version that is not known/);
    should(() => readMessage('[2,{"payload":{"$typed":["Function","AAAA"]}}]')).throw(/not known here/);
    const named = readMessage('[2,{"payload":{"$error":{"name":"constructor","message":"x"}}}]');
    should(named['payload']).be.instanceof(Error);
  });

  it('are read as they were written even if they look like our own marks', () => {
    same({ payload: { $buffer: 'AAA=' } });
    same({ payload: { $object: { $date: 'x' } }, other: { $undefined: true }, more: { $number: 1, x: 2 } });
  });

  it('may have members such as __proto__', () => {
    const text = writeMessage(
      JSON.parse('{"payload":{"__proto__":{"admin":true},"constructor":1}}') as object,
    );
    const { payload } = readMessage(text) as { payload: object };
    should(Object.hasOwn(payload, '__proto__')).be.true();
    should(Object.getPrototypeOf(payload)).equal(Object.prototype);
  });

  it('leave out req and res', () => {
    const message = {
      payload: 1,
      req: new EventEmitter(),
      res: { _res: new EventEmitter() },
      gone: undefined,
    };
    should(readMessage(writeMessage(message))).eql({ payload: 1, gone: undefined });
  });

  it('may contain objects of function nodes, which are from another realm', () => {
    const payload = runInNewContext('({ from: "a function node", list: [1] })') as object;
    should(writeMessage({ payload })).equal('{"payload":{"from":"a function node","list":[1]}}');
  });

  it('may contain the same object twice', () => {
    const shared = { x: 1 };
    same({ payload: [shared, shared] });
  });

  for (const [title, payload, text] of [
    ['a function', { call: () => 1 }, /^msg\.payload\.call is a function/],
    ['a symbol', [Symbol('x')], /^msg\.payload\[0\] is a symbol/],
    ['an object of a class', { by: new EventEmitter() }, /^msg\.payload\.by is a EventEmitter/],
    ['a function in a map', new Map([['door', () => 1]]), /^msg\.payload, entry 1 is a function/],
    ['a map of a class', new (class Doors extends Map {})(), /^msg\.payload is a Doors/],
    ['a promise', Promise.resolve(1), /^msg\.payload is a Promise/],
    ['a view of bytes', new DataView(new ArrayBuffer(2)), /^msg\.payload is a DataView/],
  ] as const) {
    it(`refuse ${title}, and say where it is`, () => {
      should(() => writeMessage({ payload })).throw({ code: 'AUTHY_INVALID_INPUT', message: text });
    });
  }

  it('refuse a value that contains itself, at any depth', () => {
    const message: Record<string, unknown> = { topic: 'x' };
    message['payload'] = { message };
    should(() => writeMessage(message)).throw(/^msg\.payload\.message is a value that contains itself/);
  });

  it('refuse a value that nests too deep, without a crash', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 100_000; level++) deep = [deep];
    should(() => writeMessage({ payload: deep })).throw(/nested deeper than 100/);
  });

  it('refuse a value that is too large, without writing all of it', () => {
    should(() => writeMessage({ payload: Buffer.alloc(100 * 1024 * 1024) })).throw(/larger than 64 KiB/);
    should(() => writeMessage({ payload: Array(1e6).fill('x') })).throw(/larger than 64 KiB/);
    should(() => writeMessage({ payload: '\u0001'.repeat(60_000) })).throw(/larger than 64 KiB/);
    same({ payload: 'x'.repeat(65_000) });
  });

  it('refuse what has too many parts, without looking at each', () => {
    for (const payload of [
      new Uint8Array(500 * 1024 * 1024),
      new Float64Array(50 * 1024 * 1024),
      new ArrayBuffer(500 * 1024 * 1024),
      new Set(Array.from({ length: 1e6 }, (_, index) => index)),
      new Map(Array.from({ length: 1e6 }, (_, index) => [index, true])),
    ]) {
      should(() => writeMessage({ payload })).throw(/larger than 64 KiB/);
    }
  });
});
