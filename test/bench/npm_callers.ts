import type { OfficialClients } from '../support/simulator_clients';
import { apiKey, authyId, type Caller, checkAnswer, token } from './call';

/** The published Authy clients as callers. */
export function npmCallers({ authy, authyClient }: OfficialClients, url: string): Caller[] {
  const first = authy(apiKey, url);
  const second = authyClient(apiKey, url);
  const verify = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      first.verify(Number(authyId), token, true, (error, answer) => {
        if (error === null) resolve(answer);
        else reject(new Error(JSON.stringify(error)));
      });
    });
  return [
    {
      name: 'npm authy',
      async call() {
        checkAnswer(200, await verify());
      },
    },
    {
      name: 'npm authy-client',
      async call() {
        checkAnswer(200, await second.verifyToken({ authyId, token }, { force: true }));
      },
    },
  ];
}
