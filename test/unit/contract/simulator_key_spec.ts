import should from 'should';
import { simulatorWarning } from '../../../nodes/lib/contract/simulator-key';

describe('The warning of an account that asks a simulator', () => {
  it('names where that is, and nothing else that the address holds', () => {
    const warning = simulatorWarning('http://ada:geheim@sim.local:1234/v1?key=geheim');
    should(warning).containEql('(http://sim.local:1234)');
    should(warning).not.match(/geheim|ada/);
  });

  it('does without an address that is none', () => {
    should(simulatorWarning('geheim')).not.containEql('geheim');
  });
});
