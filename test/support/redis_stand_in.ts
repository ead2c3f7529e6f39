import { deadAfter, type ScriptName } from '../../nodes/lib/storage/redis/scripts';

type Hash = Map<string, string>;
type Scores = Map<string, number>;
type Value = string | Hash | Scores | Set<string>;
/** The answer of a script, as the client returns it. */
export type Reply = string | number | null | Reply[];

const day = 86_400_000;

const fields = [
  ...['state', 'holder', 'epoch', 'no', 'gate', 'user', 'approvalId', 'endsAt', 'lifetime', 'writtenAt'],
  ...['was', 'until', 'final'],
] as const;

type Request = Partial<Record<(typeof fields)[number], string>> & { id: string };

/**
 * A stand-in for Redis with our scripts (`nodes/lib/storage/redis/scripts.ts`), for one account: each script line by
 * line, synchronously. `redis_scripts_spec.ts` compares it with the real Redis. Keys are without the account's prefix;
 * those of the previous version begin with `old:`.
 *
 * Redis deletes expired keys a minute after their time; here they stay. No script can see the difference.
 */
export class RedisStandIn {
  readonly keys = new Map<string, Value>();
  /** Called with each published message. */
  readonly listeners = new Set<(text: string) => void>();
  private now = 0;

  /**
   * Runs a script.
   *
   * @param now - the time, in milliseconds since 1970
   */
  run(name: ScriptName, args: readonly (string | number)[], now: number): Reply {
    this.now = Math.floor(now);
    // Redis gets all arguments as text, so the scripts below must too.
    return this[name](args.map(String));
  }

  /** Redis loses everything. */
  flush(): void {
    this.keys.clear();
  }

  /** Redis loses one key. */
  evict(key: string): void {
    this.keys.delete(key);
  }

  // ---- what all scripts use

  private isDead(instances: string, instance: string): boolean {
    const last = this.scores(instances).get(instance);
    return last === undefined || this.now - last > deadAfter;
  }

  private read(id: string): Request | undefined {
    const hash = this.hash(`request:${id}`);
    if (!hash.has('state')) return undefined;
    const found: Request = { id };
    for (const name of fields) {
      const value = hash.get(name);
      if (value !== undefined) found[name] = value;
    }
    if (found.until === undefined || Number(found.until) > this.now) return found;
    this.keys.delete(`request:${id}`);
    return undefined;
  }

  private isOpen({ state }: Request): boolean {
    return state === 'unsent' || state === 'sending' || state === 'waiting';
  }

  private isMine(found: Request | undefined, instance: string, epoch: string, no: string): found is Request {
    return (
      found !== undefined &&
      found.until === undefined &&
      found.holder === instance &&
      found.epoch === epoch &&
      Number(found.no) < Number(no)
    );
  }

  private count(user: string, id: string, endsAt: string): void {
    this.zadd(`user:${user}`, Number(endsAt) + 2 * deadAfter, id);
  }

  private hold(instance: string, gate: string, id: string): void {
    this.zadd(`held:${instance}:${gate}`, 0, id);
    this.zadd(`holders:${gate}`, 0, instance);
    this.zadd('instances', this.now, instance);
  }

  private write(
    id: string,
    no: string,
    state: string,
    endsAt: string,
    lifetime: string,
    approvalId: string,
    record: string,
  ): void {
    this.hset(`request:${id}`, { no, state, endsAt, lifetime, writtenAt: String(this.now), record });
    if (approvalId === '') return;
    this.hset(`request:${id}`, { approvalId });
    this.zadd(`approval:${approvalId}`, 0, id);
  }

  private make(args: readonly string[]): void {
    const [instance = '', gate = '', id = '', epoch = '', no = '', state = '', endsAt = ''] = args;
    const [lifetime = '', user = '', approvalId = '', record = ''] = args.slice(7);
    this.hold(instance, gate, id);
    this.keys.delete(`request:${id}`);
    this.hset(`request:${id}`, { holder: instance, gate, epoch, user });
    this.write(id, no, state, endsAt, lifetime, approvalId, record);
  }

  private finish(found: Request, state: string): void {
    const { id, holder = '', gate = '', epoch = '', no = '' } = found;
    this.zrem(`held:${holder}:${gate}`, id);
    this.zrem(`taken:${holder}:${gate}`, id);
    if (found.approvalId !== undefined) this.zrem(`approval:${found.approvalId}`, id);
    const expiresAt = Math.max(Number(found.endsAt), this.now) + Number(found.lifetime) + day;
    const hash = this.hash(`request:${id}`);
    for (const name of ['record', 'user', 'approvalId', 'endsAt', 'lifetime', 'writtenAt', 'was']) {
      hash.delete(name);
    }
    this.hset(`request:${id}`, { state, holder, epoch, no, gate, until: String(expiresAt) });
  }

  private withdrawOne(found: Request): void {
    this.finish(found, 'withdrawn');
    if (found.user !== undefined) this.zrem(`user:${found.user}`, found.id);
    this.zadd(`withdrawn:${found.holder ?? ''}:${found.gate ?? ''}`, 0, found.id);
  }

  private isCancelled(gate: string, approvalId: string): boolean {
    return approvalId !== '' && Number(this.keys.get(`cancelled:${gate}:${approvalId}`) ?? 0) > this.now;
  }

  private current(key: string): { value: string; until: number } | undefined {
    const hash = this.hash(key);
    const [value, until] = [hash.get('value'), Number(hash.get('until'))];
    return value === undefined || until <= this.now ? undefined : { value, until };
  }

  private remember(key: string, value: string, until: number): void {
    this.hset(key, { value, until: String(until) });
  }

  private rememberAsked(approvalId: string, user: string, duration: string): void {
    const before = this.current(`asked:${approvalId}`)?.until ?? 0;
    this.remember(`asked:${approvalId}`, user, Math.max(before, this.now + Number(duration)));
  }

  // ---- the scripts

  private signOfLife([instance = '', mark = '']: readonly string[]): Reply {
    if (!this.keys.has('born')) this.keys.set('born', mark);
    for (const [one, last] of [...this.scores('instances')]) {
      if (last > this.now) this.zadd('instances', this.now, one);
      else if (last <= this.now - day) this.zrem('instances', one);
    }
    this.zadd('instances', this.now, instance);
    return [this.text('born') ?? '', this.now];
  }

  private create(args: readonly string[]): Reply {
    const found = this.read(args[2] ?? '');
    if (found !== undefined && !(found.state === 'void' && Number(found.no) < Number(args[4]))) return 0;
    this.make(args);
    const made = this.read(args[2] ?? '');
    if (made !== undefined && this.isCancelled(args[1] ?? '', args[9] ?? '')) this.withdrawOne(made);
    return 1;
  }

  private void(args: readonly string[]): Reply {
    const [holder = '', gate = '', id = '', epoch = '', no = '', endsAt = '', lifetime = '', made = ''] =
      args;
    const found = this.read(id);
    if (found?.state === 'void') {
      this.hset(`request:${id}`, { no: String(Math.max(Number(found.no), Number(no))) });
      return 1;
    }
    if (found !== undefined && (!this.isMine(found, holder, epoch, no) || found.no !== made)) return 0;
    this.finish({ ...(found ?? { id, holder, gate, epoch, endsAt, lifetime }), no }, 'void');
    return 1;
  }

  private update(args: readonly string[]): Reply {
    const [instance = '', id = '', epoch = '', no = '', state = '', endsAt = '', lifetime = ''] = args;
    const [approvalId = '', record = ''] = args.slice(7);
    const found = this.read(id);
    if (!this.isMine(found, instance, epoch, no) || !this.isOpen(found)) return 0;
    if (this.isCancelled(found.gate ?? '', approvalId)) {
      this.withdrawOne(found);
      return 0;
    }
    if (found.approvalId !== undefined && found.approvalId !== approvalId) {
      this.zrem(`approval:${found.approvalId}`, id);
      this.hash(`request:${id}`).delete('approvalId');
    }
    this.write(id, no, state, endsAt, lifetime, approvalId, record);
    const { user = '' } = found;
    if (this.scores(`user:${user}`).has(id)) this.count(user, id, endsAt);
    return 1;
  }

  private claim(args: readonly string[]): Reply {
    const [instance = '', gate = '', id = '', epoch = '', no = '', final, approvalId = ''] = args;
    const found = this.read(id);
    if (found === undefined) {
      this.zrem(`held:${instance}:${gate}`, id);
      this.zrem(`taken:${instance}:${gate}`, id);
      return 'missing';
    }
    if (found.state === 'withdrawn')
      return found.holder === instance && found.epoch === epoch ? 'withdrawn' : 'theirs';
    if (found.final !== undefined && found.holder === instance && found.epoch === epoch) return 'ours';
    if (!this.isMine(found, instance, epoch, no)) return 'theirs';
    if (this.isOpen(found) && this.isCancelled(gate, approvalId)) {
      this.withdrawOne(found);
      return 'withdrawn';
    }
    if (final === '1') {
      this.finish({ ...found, no }, 'ended');
      this.hset(`request:${id}`, { final: '1' });
    } else {
      if (found.state !== 'passing') this.hset(`request:${id}`, { was: found.state ?? '' });
      this.hset(`request:${id}`, { state: 'passing', no, writtenAt: String(this.now) });
    }
    return 'ours';
  }

  private unclaim([instance = '', id = '', epoch = '', no = '']: readonly string[]): Reply {
    const found = this.read(id);
    if (!this.isMine(found, instance, epoch, no) || found.state !== 'passing') return 0;
    this.hset(`request:${id}`, { state: found.was ?? '', no, writtenAt: String(this.now) });
    this.hash(`request:${id}`).delete('was');
    return 1;
  }

  private end([instance = '', id = '', epoch = '', no = '']: readonly string[]): Reply {
    const found = this.read(id);
    if (!this.isMine(found, instance, epoch, no)) return 0;
    this.finish({ ...found, no }, 'ended');
    return 1;
  }

  private withdraw([instance = '', gate = '', approvalId = '', hint = '']: readonly string[]): Reply {
    this.keys.set(`cancelled:${gate}:${approvalId}`, String(this.now + day));
    const ids = this.zrange(`approval:${approvalId}`);
    let [withdrawn, passing] = [0, 0];
    for (const id of ids) {
      const found = this.read(id);
      if (found === undefined) {
        this.zrem(`approval:${approvalId}`, id);
      } else if (found.gate === gate && found.holder !== instance) {
        if (this.isOpen(found)) {
          this.withdrawOne(found);
          withdrawn += 1;
        } else if (found.state === 'passing') {
          passing += 1;
        }
      }
    }
    if (withdrawn > 0) this.publish(hint);
    return [ids.length, passing];
  }

  private holders([instance = '', gate = '']: readonly string[]): Reply {
    return this.zrange(`holders:${gate}`).filter((one) => one !== instance);
  }

  private withdrawHeld(args: readonly string[]): Reply {
    const [gate = '', holder = '', after = '', limit = '', approvalId = '', hint = ''] = args;
    const ids = this.zrange(`held:${holder}:${gate}`)
      .filter((id) => after === '' || compare(id, after) > 0)
      .slice(0, Number(limit));
    let [withdrawn, passing] = [0, 0];
    for (const id of ids) {
      const found = this.read(id);
      const isMeant = approvalId === '' || found?.approvalId === approvalId;
      if (found?.holder !== holder || !isMeant) continue;
      if (this.isOpen(found)) {
        this.withdrawOne(found);
        withdrawn += 1;
      } else if (found.state === 'passing') {
        passing += 1;
      }
    }
    if (withdrawn > 0) this.publish(hint);
    return [ids.length === Number(limit) ? (ids.at(-1) ?? '') : '', passing];
  }

  private withdrawn([instance = '', gate = '', limit = '', ...known]: readonly string[]): Reply {
    const key = `withdrawn:${instance}:${gate}`;
    for (const id of known) this.zrem(key, id);
    return this.zrange(key).slice(0, Number(limit));
  }

  private take([instance = '', gate = '', limit = '', ...got]: readonly string[]): Reply {
    const mine = `taken:${instance}:${gate}`;
    for (const id of got) this.zrem(mine, id);
    let [left, lost] = [Number(limit), 0];
    const answer: Reply[] = [];
    const hand = ({ id, state = '', epoch = '', writtenAt }: Request): void => {
      const isLate = Number(writtenAt ?? 0) > this.now + 1000;
      answer.push(id, this.hash(`request:${id}`).get('record') ?? '', state, Number(epoch), isLate ? 1 : 0);
    };
    for (const id of this.zrange(mine).slice(0, left)) {
      const found = this.read(id);
      if (found !== undefined && found.until === undefined && found.holder === instance) hand(found);
      else this.zrem(mine, id);
      left -= 1;
    }
    for (const holder of this.zrange(`holders:${gate}`)) {
      if (left <= 0 || holder === instance || !this.isDead('instances', holder)) continue;
      const theirs = `held:${holder}:${gate}`;
      for (const id of this.zrange(theirs).slice(0, left)) {
        const found = this.read(id);
        this.zrem(theirs, id);
        if (found === undefined) {
          lost += 1;
        } else if (found.until === undefined && found.holder === holder) {
          const epoch = String(Number(found.epoch) + 1);
          this.hset(`request:${id}`, { holder: instance, epoch, no: '0' });
          this.hold(instance, gate, id);
          this.zadd(mine, 0, id);
          hand({ ...found, epoch });
        }
        left -= 1;
      }
      if (!this.keys.has(theirs)) {
        this.zrem(`holders:${gate}`, holder);
        this.keys.delete(`taken:${holder}:${gate}`);
      }
    }
    return [lost, left <= 0 ? 1 : 0, ...answer];
  }

  private setAside([instance = '', gate = '', id = '']: readonly string[]): Reply {
    this.zrem(`held:${instance}:${gate}`, id);
    this.zrem(`taken:${instance}:${gate}`, id);
    this.zadd(`broken:${gate}`, 0, id);
    return 1;
  }

  private asked([approvalId = '', user = '', duration = '']: readonly string[]): Reply {
    this.rememberAsked(approvalId, user, duration);
    return 1;
  }

  private recipientOf([approvalId = '']: readonly string[]): Reply {
    return this.current(`asked:${approvalId}`)?.value ?? this.text(`old:asked:${approvalId}`) ?? null;
  }

  private decided([approvalId = '', decision = '', atLeast = '', atMost = '']: readonly string[]): Reply {
    const key = `answer:${approvalId}`;
    const before = this.current(key)?.value ?? this.text(`old:answer:${approvalId}`);
    if (before !== undefined) return before;
    const asked = this.current(`asked:${approvalId}`);
    const until =
      asked === undefined ? this.now + Number(atMost) : Math.max(asked.until, this.now + Number(atLeast));
    this.remember(key, decision, until);
    return null;
  }

  private admit([id = '', user = '', endsAt = '', maxOpen = '', coolDown = '']: readonly string[]): Reply {
    const scores = `user:${user}`;
    for (const [one, until] of [...this.scores(scores)]) if (until <= this.now) this.zrem(scores, one);
    const open = this.scores(scores).size;
    if (this.scores(scores).has(id)) return ['admitted', open];
    if (Number(maxOpen) > 0 && open >= Number(maxOpen)) return ['open', open];
    const wait = Number(this.text(`cool:${user}`) ?? 0) - this.now;
    if (Number(coolDown) > 0 && wait > 0) return ['wait', wait];
    this.count(user, id, endsAt);
    if (Number(coolDown) > 0) this.keys.set(`cool:${user}`, String(this.now + Number(coolDown)));
    return ['admitted', open + 1];
  }

  private release([id = '', user = '']: readonly string[]): Reply {
    const isThere = this.scores(`user:${user}`).has(id);
    this.zrem(`user:${user}`, id);
    return isThere ? 1 : 0;
  }

  private tell([text = '']: readonly string[]): Reply {
    this.publish(text);
    return this.listeners.size;
  }

  private scanOld(): Reply {
    if (this.keys.has('scanned')) return '0';
    for (const key of this.keys.keys()) {
      const [, instance, gate] = /^old:held:([^:]*):(.*)$/s.exec(key) ?? [];
      if (instance !== undefined && gate !== undefined) this.zadd(`oldholders:${gate}`, 0, instance);
    }
    this.keys.set('scanned', '1');
    return '0';
  }

  private oldHeld([gate = '', limit = '']: readonly string[]): Reply {
    const answer: Reply[] = [];
    let [left, lost] = [Number(limit), 0];
    const look = (holder: string): void => {
      if (left <= 0 || !this.isDead('old:instances', holder)) return;
      const theirs = `old:held:${holder}:${gate}`;
      for (const id of [...this.members(theirs)].slice(0, left)) {
        const found = this.hash(`old:request:${id}`);
        if (found.get('holder') === holder) {
          answer.push(holder, id, found.get('record') ?? '', found.get('state') ?? '');
        } else {
          this.srem(theirs, id);
          if (!found.has('holder')) lost += 1;
        }
        left -= 1;
      }
    };
    for (const holder of this.zrange('old:instances')) look(holder);
    for (const holder of this.zrange(`oldholders:${gate}`)) {
      if (!this.scores('old:instances').has(holder)) look(holder);
      if (!this.keys.has(`old:held:${holder}:${gate}`)) this.zrem(`oldholders:${gate}`, holder);
    }
    return [lost, ...answer];
  }

  private moveOld(args: readonly string[]): Reply {
    const [instance = '', gate = '', holder = '', oldId = '', text = '', state = '', duration = ''] = args;
    const before = this.hash(`old:request:${oldId}`);
    const isSame =
      before.get('holder') === holder &&
      (before.get('record') ?? '') === text &&
      (before.get('state') ?? '') === state;
    if (!isSame || !this.isDead('old:instances', holder)) return 0;
    const records = args.slice(7);
    if (records.length === 0) this.zadd(`broken:${gate}`, 0, oldId);
    const alive = this.scores('old:instances').get(holder) ?? this.now;
    for (let index = 0; index < records.length; index += 7) {
      const [id = '', ...rest] = records.slice(index, index + 7);
      const [, endsAt = '', , user = '', approvalId = ''] = rest;
      if (this.read(id) === undefined) {
        this.make([instance, gate, id, '1', '0', ...rest]);
        this.hset(`request:${id}`, { writtenAt: String(alive) });
        this.zadd(`taken:${instance}:${gate}`, 0, id);
        if (approvalId !== '') this.rememberAsked(approvalId, user, duration);
      }
      if (index === 0) this.count(user, id, endsAt);
    }
    if (records.length > 0) this.keys.delete(`old:request:${oldId}`);
    this.srem(`old:held:${holder}:${gate}`, oldId);
    return 1;
  }

  // ---- Redis

  private publish(text: string): void {
    for (const hear of this.listeners) hear(text);
  }

  private text(key: string): string | undefined {
    const value = this.keys.get(key);
    return typeof value === 'string' ? value : undefined;
  }

  private hash(key: string): Hash {
    return (this.keys.get(key) as Hash | undefined) ?? new Map<string, string>();
  }

  private hset(key: string, values: Readonly<Record<string, string>>): void {
    const hash = this.hash(key);
    for (const [name, value] of Object.entries(values)) hash.set(name, value);
    this.keys.set(key, hash);
  }

  private scores(key: string): Scores {
    return (this.keys.get(key) as Scores | undefined) ?? new Map<string, number>();
  }

  private zadd(key: string, score: number, member: string): void {
    const scores = this.scores(key);
    scores.set(member, score);
    this.keys.set(key, scores);
  }

  private zrem(key: string, member: string): void {
    const scores = this.scores(key);
    scores.delete(member);
    // Redis deletes empty sets.
    if (scores.size === 0) this.keys.delete(key);
  }

  private zrange(key: string): string[] {
    const all = [...this.scores(key)].sort(([a, x], [b, y]) => x - y || compare(a, b));
    return all.map(([member]) => member);
  }

  private members(key: string): Set<string> {
    return (this.keys.get(key) as Set<string> | undefined) ?? new Set<string>();
  }

  private srem(key: string, member: string): void {
    const set = this.members(key);
    set.delete(member);
    if (set.size === 0) this.keys.delete(key);
  }
}

/** By bytes, as Redis does; ids are ASCII. */
function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
