import should from 'should';
import { Harness, phone } from './harness';

describe('simulator: its languages', () => {
  const harness = new Harness();
  let id: number;
  before(() => harness.start());
  after(() => harness.stop());
  beforeEach(async () => {
    await harness.control('POST', '/reset');
    id = await harness.createUser();
  });

  const page = (language: string | undefined) =>
    harness.request('GET', '/simulator/phone/', {
      headers: language === undefined ? {} : { 'Accept-Language': language },
    });

  describe('the phone page', () => {
    for (const [asked, tag, words] of [
      ['en-US,en;q=0.9', 'en-US', 'Approve'],
      ['de-AT,de;q=0.9,en;q=0.5', 'de', 'Genehmigen'],
      ['ja', 'ja', 'メッセージとリクエスト'],
      ['fr-CA', 'fr', 'Messages et demandes'],
      ['es-MX', 'es-ES', 'Mensajes y solicitudes'],
      ['it', 'it', 'Messaggi e richieste'],
      ['pt', 'pt-BR', 'Mensagens e pedidos'],
      ['ZH', 'zh-CN', '消息和请求'],
      // The highest q value of the known languages counts, not their order.
      ['ko, en;q=0.3, de;q=0.8', 'de', 'Genehmigen'],
      ['de;q=0, it', 'it', 'Approva'],
      ['nl', 'en-US', 'Approve'],
      ['*', 'en-US', 'Approve'],
      [';;q=,', 'en-US', 'Approve'],
      [undefined, 'en-US', 'Approve'],
    ] as const) {
      it(`answers ${asked ?? 'no Accept-Language'} in ${tag}`, async () => {
        const { status, headers, text } = await page(asked);
        status.should.equal(200);
        should(headers.get('content-language')).equal(tag);
        should(headers.get('vary')).containEql('Accept-Language');
        text.should.containEql(`<html lang="${tag}"`);
        text.should.containEql(words);
        text.should.not.match(/\{\{/);
      });
    }

    it('runs only its own files in any language', async () => {
      for (const language of ['en', 'de', 'ja']) {
        const { headers, text } = await page(language);
        should(headers.get('content-security-policy')).match(/^default-src 'none'; script-src 'self';/);
        (text.match(/<script/g) ?? []).should.have.length(1);
      }
    });
  });

  describe('a message to the phone', () => {
    const last = async () => (await harness.messages()).at(-1);

    for (const [channel, method] of [
      ['sms', 'GET'],
      ['call', 'GET'],
      ['email', 'POST'],
    ] as const) {
      it(`by ${channel} is in the language of the locale`, async () => {
        const { body } = await harness.api(method, `/protected/json/${channel}/${id}`, { locale: 'es' });
        const message = await last();
        should(message?.text).equal(`Garage (simulador): Tu token es ${message?.code ?? ''}.`);
        should(message).have.properties({ language: 'es-ES', locale: 'es' });
        // Authy's own answer stays in English.
        should(body['message']).match(/^(SMS token was sent|Call started\.\.\.|Email token was sent)$/);
      });
    }

    it('keeps the words of the client as they are', async () => {
      const params = { locale: 'de', action: 'login', action_message: 'Log in from __code__' };
      await harness.api('GET', `/protected/json/sms/${id}`, params);
      const token = await last();
      should(token?.text).equal(
        `Garage (Simulator): Log in from __code__. Ihr Token lautet ${token?.code ?? ''}.`,
      );
      const start = { ...phone, via: 'sms', locale: 'de', custom_message: '{{code}} it is.' };
      await harness.api('POST', '/protected/json/phones/verification/start', start);
      const custom = await last();
      should(custom?.text).equal(`Garage (Simulator): ${custom?.code ?? ''} it is.`);
      should(custom?.language).be.null();
    });

    for (const [locale, language, text] of [
      ['pt', 'pt-BR', 'Seu código de verificação é'],
      ['zh-HK', 'zh-CN', '您的验证码是'],
      ['xx', 'en-US', 'Your verification code is'],
      ['nl', 'en-US', 'Your verification code is'],
      [undefined, 'en-US', 'Your verification code is'],
    ] as const) {
      it(`of a phone verification in ${locale ?? 'no locale'} is in ${language}`, async () => {
        const params = { ...phone, via: 'call', locale };
        const { status } = await harness.api('POST', '/protected/json/phones/verification/start', params);
        status.should.equal(200);
        const message = await last();
        should(message?.language).equal(language);
        should(message?.text).containEql(text);
      });
    }
  });
});
