import { randomUUID } from 'node:crypto';
import { BoundedMap } from './bounded';
import { capacities } from './limits';

/** Allows an app to register itself as a factor of a person. */
export interface AccessToken {
  /** Lower case. */
  readonly uuid: string;
  readonly identity: string;
  /** The factor's name, if the service has chosen it. */
  readonly friendlyName: string | undefined;
  /** In seconds. */
  readonly ttl: number;
  readonly createdAt: number;
  /** What the app has to show. */
  readonly secret: string;
}

/** The access tokens, found by uuid or secret. */
export class AccessTokens {
  private readonly byUuid = new BoundedMap<string, AccessToken>(capacities.accessTokens);

  constructor(private readonly now: () => number) {}

  get(uuid: string): AccessToken | undefined {
    return this.byUuid.get(uuid);
  }

  /** @param sign - makes its secret of its parts */
  add(
    token: Pick<AccessToken, 'identity' | 'friendlyName' | 'ttl'>,
    sign: (token: Omit<AccessToken, 'secret'>) => string,
  ): AccessToken {
    const parts = { ...token, uuid: randomUUID(), createdAt: this.now() };
    const added = { ...parts, secret: sign(parts) };
    this.byUuid.set(added.uuid, added);
    return added;
  }

  /** The token with a secret, as long as it is valid. */
  withSecret(secret: string): AccessToken | undefined {
    const found = this.byUuid.all.find((token) => token.secret === secret);
    return found !== undefined && this.now() < found.createdAt + found.ttl * 1000 ? found : undefined;
  }

  clear(): void {
    this.byUuid.clear();
  }
}
