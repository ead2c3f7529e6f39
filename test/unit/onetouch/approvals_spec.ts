import { Approvals } from '../../../nodes/lib/onetouch/approvals';

const id = '4A725520-bff5-0135-eb01-0e5d90336a8c';

describe('What an account remembers of approvals', () => {
  it('whom it asked', () => {
    const approvals = new Approvals();
    approvals.wasAsked(id, '209').should.be.false();
    approvals.asked(id, '209');
    approvals.wasAsked(id.toLowerCase(), '209').should.be.true();
    approvals.wasAsked(id, '210').should.be.false();
  });

  it('what was answered, once', () => {
    const approvals = new Approvals();
    approvals.decided(id, 'denied').should.equal('first');
    approvals.decided(id.toLowerCase(), 'denied').should.equal('duplicate');
    approvals.decided(id, 'approved').should.equal('conflict');
    approvals.decided(id, 'denied').should.equal('duplicate');
  });

  it('no more than ten thousand, the oldest forgotten first', () => {
    const approvals = new Approvals();
    for (let number = 0; number <= 10_000; number++) approvals.asked(String(number), '209');
    approvals.wasAsked('0', '209').should.be.false();
    approvals.wasAsked('1', '209').should.be.true();
    approvals.wasAsked('10000', '209').should.be.true();
  });
});
