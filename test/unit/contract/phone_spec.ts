import { getCountries, getCountryCallingCode, getExampleNumber } from 'libphonenumber-js/max';
import examples from 'libphonenumber-js/examples.mobile.json';
import should from 'should';
import { AuthyError } from '../../../nodes/lib/contract/errors';
import { phone, type PhoneRule } from '../../../nodes/lib/contract/phone';

/** The number that is read, or the error that is raised. */
function read(number: string, country?: string, rule: PhoneRule = 'valid'): string | AuthyError {
  try {
    const { countryCode, nationalNumber, e164 } = phone(number, country, rule);
    e164.should.equal(`+${countryCode}${nationalNumber}`);
    return e164;
  } catch (error) {
    should(error).be.instanceof(AuthyError, String(error));
    return error as AuthyError;
  }
}

function refused(number: string, country?: string, rule: PhoneRule = 'valid'): AuthyError {
  const error = read(number, country, rule);
  if (typeof error === 'string') throw new Error(`${number} with ${String(country)} was read as ${error}`);
  error.code.should.equal('AUTHY_INVALID_INPUT');
  should(error.field).equalOneOf('phoneNumber', 'countryCode');
  error.message.should.startWith(`${error.field ?? ''} `);
  // The refused text may be a real phone number, so the error must not contain it.
  error.message.should.not.containEql(number);
  return error;
}

/** The example mobile number of every country, with its calling code. */
const mobiles = getCountries().flatMap((country) => {
  const example = getExampleNumber(country, examples);
  return example === undefined ? [] : [{ country, code: getCountryCallingCode(country), example }];
});

/** A number as people type it. */
type Typed = (typeof mobiles)[number];
const forms: Readonly<Record<string, (mobile: Typed) => string>> = {
  'E.164': ({ example }) => example.number,
  '00 and the country': ({ example }) => `00${example.number.slice(1)}`,
  'the country without plus': ({ example }) => example.number.slice(1),
  national: ({ example }) => example.formatNational().replace(/\D/g, ''),
  'national with spaces': ({ example }) => example.formatNational().replace(/[^\d() .-]+/g, ' '),
  'significant digits': ({ example }) => example.nationalNumber,
  'international with spaces': ({ example }) => example.formatInternational(),
  'international with a zero in brackets': ({ example, code }) => `+${code} (0) ${example.nationalNumber}`,
};

describe('Phone numbers', () => {
  describe('a mobile number of any country is read as the right number or refused', () => {
    for (const rule of ['valid', 'possible'] as const) {
      for (const [form, write] of Object.entries(forms)) {
        for (const isGiven of [true, false]) {
          it(`${form}, ${isGiven ? 'with' : 'without'} its country, if it must be ${rule}`, () => {
            let right = 0;
            const others: string[] = [];
            for (const mobile of mobiles) {
              const typed = write(mobile);
              const number = read(typed, isGiven ? mobile.code : undefined, rule);
              if (number === mobile.example.number) right += 1;
              else if (typeof number === 'string') others.push(`${mobile.country} ${typed} as ${number}`);
            }
            others.should.eql([]);
            // A rule that refused everything would pass the line above.
            const isWhole = form === 'E.164' || form === 'international with spaces';
            if (isWhole) right.should.equal(mobiles.length);
            else if (form.startsWith('international')) right.should.be.above(mobiles.length / 2);
            else if (isGiven) right.should.be.above(mobiles.length * 0.9);
            else right.should.equal(0);
          });
        }
      }
    }
  });

  it('are split into country code and national number', () => {
    phone('+57 300 123 4567', undefined, 'valid').should.eql({
      countryCode: '57',
      nationalNumber: '3001234567',
      e164: '+573001234567',
    });
  });

  it('with + contain their country; a country given beside them does not count', () => {
    should(read('+573001234567', '1')).equal('+573001234567');
    refused('+9993173389302').message.should.match(/not a valid phone number/);
    refused('+1317').message.should.match(/not a valid phone number/);
    refused('+0612345678', '33').message.should.match(/not a valid phone number/);
  });

  it('without + need a country, whatever they look like', () => {
    for (const number of ['0612345678', '2015550123', '317-338-9302', '4915157012345', '004915157012345']) {
      for (const rule of ['valid', 'possible'] as const) {
        const error = refused(number, undefined, rule);
        error.message.should.match(/Begin it with \+ and the country code/).and.match(/country code as well/);
      }
    }
  });

  it('without + are read as numbers of the given country', () => {
    should(read('317-338-9302', '1')).equal('+13173389302');
    should(read('(317) 338.9302', '1')).equal('+13173389302');
    should(read('1 (317) 338-9302', '1')).equal('+13173389302');
    should(read('3001234567', '57')).equal('+573001234567');
    should(read('06 12 34 56 78', '33')).equal('+33612345678');
    should(read('0612345678', '1')).be.instanceof(AuthyError);
    should(read('06 698 12345', '39')).equal('+390669812345');
    should(read('8 (912) 345-67-89', '7')).equal('+79123456789');
  });

  it('that begin with an international prefix are numbers of the country after it', () => {
    should(read('004915157012345', '49')).equal('+4915157012345');
    should(read('0044 7911 123456', '49')).equal('+447911123456');
    should(read('0044 7911 123456', '1')).equal('+447911123456');
    should(read('011 44 7911 123456', '1')).equal('+447911123456');
    should(read('0011 49 15157012345', '61')).equal('+4915157012345');
    should(read('001 66 81 234 5678', '66')).equal('+66812345678');
    // In Singapore 001 is an international prefix; elsewhere the prefix is 00, and 1 is a country code.
    refused('001 65 9234 5678', '65').message.should.match(/can be read as two numbers/);
  });

  it('that can be read in two ways are refused', () => {
    const error = refused('4915157012345', '49');
    should(error.field).equal('phoneNumber');
    error.message.should.match(/can be read as two numbers.*\+/);
  });

  it('are refused if they are not valid, or if their country does not exist', () => {
    refused('123', '1').message.should.match(/not a valid phone number in the country with code 1/);
    const error = refused('3173389302', '999');
    should(error.field).equal('countryCode');
    error.message.should.match(/is 999, the calling code of no country/);
    // These have the right length for their country, but are not valid.
    for (const number of ['+10612345678', '+11235550123', '+33000000000', '+4912']) {
      refused(number).message.should.match(/not a valid phone number/);
    }
  });

  it('that nobody can have are accepted for simulators only', () => {
    for (const number of ['+1 555 123 4567', '+447700900123', '+15551234567']) {
      refused(number).message.should.match(/not a valid phone number/);
      should(read(number, undefined, 'possible')).equal(number.replaceAll(' ', ''));
    }
    should(read('555-123-4567', '1', 'possible')).equal('+15551234567');
    refused('+1317', undefined, 'possible').message.should.match(/not a possible phone number/);
  });

  describe("Authy's own codes of four digits", () => {
    // prettier-ignore
    const codes = [
      '1242', '1246', '1264', '1268', '1284', '1345', '1441', '1473', '1649', '1664', '1671', '1758', '1767', '1784',
      '1787', '1809', '1829', '1849', '1868', '1869', '1876',
    ];
    const ofCode = (code: string): string => {
      const found = mobiles.find(({ example }) => example.number.startsWith(`+${code}`));
      // A second code of a country has the same numbers as the first.
      const local = found?.example.number.slice(5) ?? '2345678';
      return `+${code}${local}`;
    };

    for (const code of codes) {
      it(`${code}: numbers with 7 digits, with 10, and in other formats are read`, () => {
        const number = ofCode(code);
        const local = number.slice(5);
        for (const typed of [
          local,
          `${local.slice(0, 3)}-${local.slice(3)}`,
          number.slice(2),
          `(${number.slice(2, 5)}) ${local}`,
          number.slice(1),
          number,
          `00${number.slice(1)}`,
        ]) {
          should(read(typed, code)).equal(number, typed);
        }
        phone(local, code, 'valid').countryCode.should.equal('1');
        should(read(local, code, 'possible')).equal(number);
      });
    }

    it('the code of a country also accepts its other area codes, but not those of another country', () => {
      should(read('939 234 5678', '1787')).equal('+19392345678');
      refused('212 555 1234', '1787').message.should.match(/in the country with code 1787/);
      refused('12345678', '1787');
      refused('234567', '1787');
    });

    it('5999 is read as Curaçao', () => {
      should(read('5181234', '5999')).equal('+59995181234');
      should(read('9 518 1234', '5999')).equal('+59995181234');
      should(read('599 9 518 1234', '5999')).equal('+59995181234');
      // +599 3 is Bonaire.
      should(refused('3181234', '5998').field).equal('countryCode');
      should(read('318 1234', '599')).equal('+5993181234');
    });

    it('any other code of four digits is refused', () => {
      for (const code of ['1212', '1000', '1999', '4915', '7700', '9999']) {
        refused('2345678', code).message.should.match(/the calling code of no country/);
      }
    });
  });

  it('of Mexico are refused with a hint if they have the prefix that was dropped in 2019', () => {
    should(read('+52 55 1234 5678')).equal('+525512345678');
    should(read('55 1234 5678', '52')).equal('+525512345678');
    for (const [number, country] of [
      ['+52 1 55 1234 5678', undefined],
      ['+5215512345678', '52'],
      ['0052 1 55 1234 5678', '52'],
      ['52 1 55 1234 5678', '52'],
      ['1 55 1234 5678', '52'],
      ['044 55 1234 5678', '52'],
      ['045 55 1234 5678', '52'],
    ] as const) {
      for (const rule of ['valid', 'possible'] as const) {
        refused(number, country, rule)
          .message.should.match(/Mexico/)
          .and.match(/Leave that out/);
      }
    }
  });
});
