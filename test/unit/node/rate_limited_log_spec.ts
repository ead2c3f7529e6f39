import { RateLimitedLog } from '../../../nodes/lib/node/rate-limited-log';

describe('Rate-limited log', () => {
  it('writes one line of each kind', () => {
    const lines: string[] = [];
    const log = new RateLimitedLog((line) => lines.push(line));
    for (let time = 0; time < 100; time++) log.write('signatureMismatch', `forged ${time}`);
    log.write('stale', 'old');
    lines.should.eql(['forged 0', 'old']);
    log.holds('signatureMismatch').should.be.true();
    log.holds('conflict').should.be.false();
    log.close();
    log.write('signatureMismatch', 'again');
    lines.length.should.equal(3);
    log.close();
  });
});
