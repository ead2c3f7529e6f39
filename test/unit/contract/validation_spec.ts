import should from 'should';
import { AuthyError } from '../../../nodes/lib/contract/errors';
import * as input from '../../../nodes/lib/contract/validation';
import type { Parser } from '../../../nodes/lib/contract/validation';
import { hostileDigits } from '../../support/hostile_inputs';

function refused(parse: Parser<unknown>, value: unknown): AuthyError {
  try {
    parse(value, 'theField');
  } catch (error) {
    should(error).be.instanceof(AuthyError);
    return error as AuthyError;
  }
  throw new Error(`accepted ${typeof value} ${JSON.stringify(value)}`);
}

describe('Validation', () => {
  const digitFields = {
    token: input.token,
    verificationCode: input.verificationCode,
    authyId: input.authyId,
    uuid: input.uuid,
  };
  for (const [name, parse] of Object.entries(digitFields)) {
    for (const value of hostileDigits) {
      it(`${name} refuses ${typeof value} ${typeof value === 'symbol' || typeof value === 'bigint' ? '' : JSON.stringify(value)}`, () => {
        const error = refused(parse, value);
        error.code.should.equal('AUTHY_INVALID_INPUT');
        should(error.field).equal('theField');
        error.message.should.startWith('theField ');
      });
    }
  }

  it('accepts tokens of 4 to 12 digits and keeps their leading zeros', () => {
    input.token('0123', 'token').should.equal('0123');
    input.token('123456789012', 'token').should.equal('123456789012');
    refused(input.token, '123');
    refused(input.token, '1234567890123');
  });

  it('says why a number is no token', () => {
    refused(input.token, 1234567).message.should.match(/as text/);
    refused(input.verificationCode, 1234).message.should.match(/lost the zeros/);
  });

  it('accepts Authy IDs as text and as safe integers', () => {
    input.authyId('1', 'id').should.equal('1');
    input.authyId(1234567, 'id').should.equal('1234567');
    input.authyId('12345678901234567890', 'id').should.equal('12345678901234567890');
    refused(input.authyId, '0123');
    refused(input.authyId, '123456789012345678901');
    refused(input.authyId, 0);
  });

  it('does not show the refused value', () => {
    refused(input.token, 'my secret').message.should.not.match(/secret/);
  });

  it('counts the characters of a text by Unicode, and says how many there are', () => {
    const bounded = input.text(144);
    should(bounded('🔑'.repeat(144), 'message')).have.length(288);
    refused(bounded, '🔑'.repeat(145)).message.should.match(/has 145 characters, and may have at most 144/);
    const detailed = input.pairs({ label: 20, value: 200 });
    should(detailed({ ['🔑'.repeat(20)]: '🚪'.repeat(200) }, 'details')).be.an.Object();
    refused(detailed, { ['🔑'.repeat(21)]: 'x' });
    refused(detailed, { x: '🚪'.repeat(201) });
  });

  it('takes a language in a region for the language, unless the region has texts of its own', () => {
    const parse = input.language(['de', 'en', 'pt', 'pt-BR', 'zh', 'zh-HK']);
    for (const [given, meant] of [
      ['de', 'de'],
      ['de-DE', 'de'],
      ['en-US', 'en'],
      ['pt-BR', 'pt-BR'],
      ['pt-PT', 'pt'],
      ['zh-TW', 'zh'],
      ['zh-HK', 'zh-HK'],
    ]) {
      should(parse(given, 'locale')).equal(meant);
    }
    for (const wrong of [
      'xx',
      'xx-DE',
      'de-',
      'de_DE',
      'DE',
      'de-de',
      'de-DE-1',
      ' de-DE',
      'de-Latn',
      5,
      null,
    ]) {
      refused(parse, wrong).message.should.match(/must be a tag such as de, en-US or pt-BR/);
    }
  });

  it('accepts approval ids in hexadecimal form only', () => {
    input.uuid('4a725520-bff5-0135-eb01-0e5d90336a8c', 'id').should.be.a.String();
    refused(input.uuid, '4a725520-bff5-0135-eb01-0e5d90336a8');
    refused(input.uuid, '4a725520-bff5-0135-eb01-0e5d90336a8g');
    refused(input.uuid, '4a725520bff50135eb010e5d90336a8c');
  });

  it('reads country codes with and without plus', () => {
    input.countryCode('+57', 'cc').should.equal('57');
    input.countryCode('1', 'cc').should.equal('1');
    input.countryCode(44, 'cc').should.equal('44');
    for (const bad of ['', '0', '12345', '+', '1 ', '++1', 'US', 1.5, -1, true])
      refused(input.countryCode, bad);
  });

  it('checks only the characters of a phone number', () => {
    for (const good of ['+57 300 123 4567', '317-338-9302', '(317) 338.9302', '004915157012345']) {
      input.phoneNumber(good, 'phoneNumber').should.equal(good);
    }
    for (const bad of [
      3173389302,
      '３１７３３８９３０２',
      '317abc9302',
      ' 3173389302',
      '3173389302\n',
      '../sms',
      ['3173389302'],
      {},
    ]) {
      refused(input.phoneNumber, bad);
    }
  });

  it('reads switches as true, false or their spelling', () => {
    input.flag(true, 'f').should.be.true();
    input.flag('false', 'f').should.be.false();
    for (const bad of [1, 0, 'yes', 'TRUE', [], {}]) refused(input.flag, bad);
  });

  it('bounds text', () => {
    input.text(3)('abc', 't').should.equal('abc');
    refused(input.text(3), 'abcd').message.should.match(/4 characters.*at most 3/);
    refused(input.text(3), '  ');
    refused(input.text(3), 5);
  });

  it('limits whole numbers', () => {
    input.integer(4, 10)('6', 'n').should.equal(6);
    for (const bad of [3, 11, 4.5, '6.0', '', Number.NaN, '0x6', null]) refused(input.integer(4, 10), bad);
  });

  it('requires {{code}} in a custom message', () => {
    input.codeTemplate('Your code: {{code}}', 'm').should.equal('Your code: {{code}}');
    refused(input.codeTemplate, 'Your code').message.should.match(/\{\{code\}\}/);
  });

  it('accepts details as pairs of label and text', () => {
    const details = input.pairs({ label: 20, value: 200 });
    details({ Account: '12-34', Amount: 5, New: true }, 'd').should.eql({
      Account: '12-34',
      Amount: '5',
      New: 'true',
    });
    for (const bad of [
      { ['x'.repeat(21)]: '1' },
      { a: 'x'.repeat(201) },
      { a: {} },
      { a: null },
      { '': '1' },
      [],
      'x',
      { a: Number.NaN },
    ]) {
      refused(details, bad);
    }
  });

  it('accepts logos with a default among them', () => {
    const logo = { res: 'default', url: 'https://example.com/logo.png' };
    should(input.logos([logo], 'l')).eql([logo]);
    should(input.logos([], 'l')).eql([]);
    for (const bad of [
      [{ ...logo, res: 'low' }],
      [logo, logo],
      [{ res: 'huge', url: logo.url }],
      [{ res: 'default' }],
      [{ ...logo, url: 'javascript:x' }],
      {},
      ['x'],
    ]) {
      refused(input.logos, bad);
    }
  });

  it('accepts plain data of a limited size', () => {
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    input.dataObject({ reason: 'reset' }, 'd').should.eql({ reason: 'reset' });
    refused(input.dataObject, circular).message.should.match(/refer to itself/);
    refused(input.dataObject, { x: 'x'.repeat(10_001) });
    refused(input.dataObject, []);
  });

  it('accepts plausible e-mail addresses', () => {
    input.email('user@example.com', 'e').should.equal('user@example.com');
    for (const bad of ['user', 'user@', '@example.com', 'a b@example.com', 'user@example..com', 5])
      refused(input.email, bad);
  });
});
