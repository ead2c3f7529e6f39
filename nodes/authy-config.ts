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
import { pathProblem } from './lib/node/approver-paths';
import { type AccountNode, Instances } from './lib/node/instances';

export = (RED: NodeAPI): void => {
  deploysOf(RED);
  const instances = new Instances();

  function AuthyConfig(this: AccountNode, config: AccountDef): void {
    RED.nodes.createNode(this, config);
    const settings = accountSettings(RED, this, config);
    const noPage = (): string | undefined => pathProblem(RED, instances, account);
    const account = new Account({ ...settings, noPage });
    this.account = account;
    instances.add(this);
    for (const problem of [...problemsOf(settings), noPage()]) if (problem !== undefined) this.warn(problem);
    this.on('close', (removed: boolean, done: () => void) => {
      instances.remove(this);
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
