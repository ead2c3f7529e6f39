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
import { hiddenRemedy, pathRemedy, pathTaken } from './lib/node/approver-paths';
import { type AccountNode, Instances } from './lib/node/instances';

export = (RED: NodeAPI): void => {
  const deploys = deploysOf(RED);
  const instances = new Instances(RED);

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
    for (const problem of problemsOf(settings)) this.warn(problem);
    // A deploy of another account may take the path of this one, or leave it.
    let warned: string | undefined;
    const stopLooking = deploys.onEnd(() => {
      const taken = pathTaken(RED, instances, account);
      const warning = taken === undefined ? hiddenRemedy(RED, account) : pathRemedy(RED, taken);
      if (warning !== undefined && warning !== warned) this.warn(warning);
      warned = warning;
    });
    this.on('close', (removed: boolean, done: () => void) => {
      stopLooking();
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
