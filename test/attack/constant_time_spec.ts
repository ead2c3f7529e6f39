import path from 'node:path';
import { ESLint, Linter } from 'eslint';
import should from 'should';
import { verifyCallback } from '../../nodes/lib/services/authy/callback/callback';
import { watchComparisons } from '../support/comparisons';
import { callbackAnswer, callbackKey, callbackModes, signedCallback } from '../support/signed_callback';

const root = path.join(__dirname, '..', '..');

describe('Attack: signatures are compared in constant time', function () {
  // The linter takes a while to load.
  this.timeout(60_000);

  describe('each comparison is by timingSafeEqual, of equal lengths, whatever is wrong with the signature', () => {
    const compared = watchComparisons();

    for (const mode of callbackModes) {
      const request = signedCallback(callbackAnswer(), mode);
      const signed = String(request.headers['x-authy-signature']);
      // A query is checked twice: as it was received, and rewritten in canonical form.
      const texts = mode === 'get' ? 2 : 1;
      for (const [title, sent] of [
        ['wrong in its first character', `${signed.startsWith('A') ? 'B' : 'A'}${signed.slice(1)}`],
        ['wrong in its last character', `${signed.slice(0, -2)}${signed.at(-2) === 'A' ? 'E' : 'A'}=`],
        ['wrong everywhere', `${'/'.repeat(43)}=`],
      ] as const) {
        it(`${mode}, ${title}`, () => {
          const headers = { ...request.headers, 'x-authy-signature': sent };
          const rules = { apiKeys: [callbackKey, 'another', 'a third'], maxSize: 65_536 };
          should(verifyCallback({ ...request, headers }, rules)).have.property('accepted', false);
          compared.should.eql(Array(texts * rules.apiKeys.length).fill([44, 44]));
        });
      }

      it(`${mode}, a signature of another length is not compared at all`, () => {
        for (const sent of ['', signed.slice(1), `${signed}=`, `é${signed.slice(1)}`]) {
          const headers = { ...request.headers, 'x-authy-signature': sent };
          const verdict = verifyCallback(
            { ...request, headers },
            { apiKeys: [callbackKey], maxSize: 65_536 },
          );
          should(verdict).match({ accepted: false, reason: 'noSignature' });
        }
        compared.should.eql([]);
      });
    }
  });

  it('the linter refuses any other comparison in the code that verifies callbacks', async () => {
    const eslint = new ESLint({ cwd: root });
    for (const file of [
      'nodes/lib/services/authy/callback/callback.ts',
      'nodes/lib/services/verify/webhook/signature.ts',
      'nodes/lib/node/callback-node.ts',
    ]) {
      const { rules } = (await eslint.calculateConfigForFile(path.join(root, file))) as Linter.Config;
      const rule = rules?.['no-restricted-syntax'] ?? 'off';
      const complaints = (code: string): number =>
        new Linter().verify(code, { rules: { 'no-restricted-syntax': rule } }).length;
      for (const code of [
        'signature === expected',
        'expectedSignature != received',
        'received == signatureOfCanonical(request)',
        'signature(request) !== received',
        'digest.equals(other)',
        'other.equals(digest)',
        'signature.startsWith(received)',
        'signatures.includes(received)',
        'received.localeCompare(signature)',
      ]) {
        complaints(code).should.be.above(0, code);
      }
      complaints('signaturesMatch(signature, signatureOfCanonical(request))').should.equal(0);
    }
  });
});
