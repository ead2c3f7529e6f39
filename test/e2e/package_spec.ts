import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import should from 'should';
import { helpsIn } from '../../scripts/help';
import { root, temporaryDirectory } from '../support/node_red';

describe('the published package', function () {
  this.timeout(60_000);

  it('ships what is needed and nothing else', () => {
    check(root).should.deepEqual({ status: 0, problems: [] });
  });

  it('has each help text complete, with its shared parts and no placeholder', () => {
    for (const language of fs.readdirSync(path.join(root, 'dist', 'locales'))) {
      const folder = path.join(root, 'dist', 'locales', language);
      const helps = fs
        .readdirSync(folder)
        .filter((file) => file.endsWith('.html'))
        .sort();
      const shipped = helps.map((file) => [file, fs.readFileSync(path.join(folder, file), 'utf8')] as const);
      for (const [file, help] of shipped) {
        should(/<(shared-help|template|slot)\b/.test(help)).be.false(`${language}/${file}`);
      }
      const expected = [...helpsIn(path.join(root, 'locales', language))];
      should(shipped).deepEqual(expected.map(([type, help]) => [`${type}.html`, help]));
    }
  });

  it('fails the check if it ships too much or too little', () => {
    const folder = temporaryDirectory();
    for (const name of ['package.json', 'README.md', 'LICENSE', 'dist', 'examples']) {
      fs.cpSync(path.join(root, name), path.join(folder, name), { recursive: true });
    }
    check(folder).should.deepEqual({ status: 0, problems: [] });

    fs.writeFileSync(path.join(folder, 'dist', 'authy-token-sms.js.map'), '{}');
    fs.writeFileSync(path.join(folder, 'dist', 'lib', 'contract', 'service.ts'), '');
    fs.writeFileSync(path.join(folder, 'dist', 'locales', 'de', 'shared-help.html'), '');
    fs.writeFileSync(path.join(folder, 'examples', 'notes.txt'), '');
    fs.rmSync(path.join(folder, 'dist', 'authy-token-call.html'));
    fs.rmSync(path.join(folder, 'dist', 'locales', 'en-US', 'authy-token-sms.json'));
    fs.rmSync(path.join(folder, 'dist', 'locales', 'en-US', 'authy-token-sms.html'));
    fs.rmSync(path.join(folder, 'dist', 'locales', 'en-US', 'authy-simulator.json'));
    fs.rmSync(path.join(folder, 'dist', 'icons'), { recursive: true });
    fs.rmSync(path.join(folder, 'dist', 'lib', 'node', 'badge.js'));
    fs.rmSync(path.join(folder, 'README.md'));
    const { status, problems } = check(folder);
    should(status).equal(1);
    problems.should.containDeep([
      'missing: README.md',
      'missing: dist/authy-token-call.html',
      'missing: dist/lib/node/badge.js',
      'missing: dist/locales/en-US/authy-simulator.json',
      'missing: dist/locales/en-US/authy-token-sms.html',
      'missing: dist/locales/en-US/authy-token-sms.json',
      'should not be shipped: dist/authy-token-sms.js.map',
      'should not be shipped: dist/lib/contract/service.ts',
      'should not be shipped: dist/locales/de/shared-help.html',
      'should not be shipped: examples/notes.txt',
    ]);
    problems.filter((problem) => problem.startsWith('missing: dist/icons/')).should.not.be.empty();
  });
});

function check(folder: string): { status: number | null; problems: string[] } {
  const script = path.join(root, 'scripts', 'check-package.mjs');
  const { status, stderr } = spawnSync(process.execPath, [script, folder], { encoding: 'utf8' });
  return { status, problems: stderr.split('\n').filter((line) => line !== '') };
}
