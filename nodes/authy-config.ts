import type { NodeAPI } from 'node-red';
import { Account } from './lib/account/account';
import { deploysOf } from './lib/node/deploys';
import { serveAccounts } from './lib/node/account-routes';
import {
  type AccountCredentials,
  type AccountDef,
  accountProperties,
  accountSettings,
  problemsOf,
} from './lib/node/account-settings';
import { serveApprovers } from './lib/node/approver-mount';
import { pathRemedy, pathTaken } from './lib/node/approver-paths';
import { type AccountNode, Instances } from './lib/node/instances';

export = (RED: NodeAPI): void => {
  deploysOf(RED);
  const instances = new Instances();

  function AuthyConfig(this: AccountNode, config: AccountDef): void {
    RED.nodes.createNode(this, config);
    const settings = accountSettings(RED, this, config);
    // What the editor has at a path is not all that is there: that is a warning alone.
    const noPage = (): string | undefined => {
      const taken = pathTaken(RED, instances, account);
      return taken?.why === 'account' ? pathRemedy(RED, taken) : undefined;
    };
    const account = new Account({ ...settings, noPage });
    this.account = account;
    instances.add(this);
    const taken = pathTaken(RED, instances, account);
    for (const problem of problemsOf(settings)) this.warn(problem);
    if (taken !== undefined) this.warn(pathRemedy(RED, taken));
    this.on('close', (removed: boolean, done: () => void) => {
      instances.remove(this, removed);
      void account.close(removed).then(done);
    });
  }

  RED.nodes.registerType<AccountNode, AccountDef, object, AccountCredentials>('authy-config', AuthyConfig, {
    // Each of them is a secret.
    credentials: Object.fromEntries(
      accountProperties().credentials.map((name) => [name, { type: 'password' }]),
    ),
  });

  serveAccounts(RED, instances);
  serveApprovers(RED, instances);
};
