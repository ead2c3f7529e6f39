import should from 'should';
import { isUrl } from '../../../nodes/lib/contract/url';

describe('A URL', () => {
  it('with letters beyond ASCII stays one, however often it is asked', () => {
    let refused = 0;
    for (let turn = 0; turn < 100_000; turn++) if (!isUrl('https://ü.example/cb')) refused += 1;
    should(refused).equal(0);
  });

  it('is what can be read as one, alone or from where it begins', () => {
    should(['https://a.example', 'otpauth://totp/a?secret=B'].map((text) => isUrl(text))).eql([true, true]);
    should(['', '/path', 'https://', 'https://[::1/'].map((text) => isUrl(text))).matchEach(false);
    should(isUrl('/path', 'https://a.example')).be.true();
  });
});
