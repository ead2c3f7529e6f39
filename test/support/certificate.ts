import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

interface Certificate {
  key: string;
  cert: string;
}

const made = new Map<string, Promise<Certificate>>();

/**
 * A self-signed certificate for 127.0.0.1 and names; made once per test run by openssl.
 *
 * @param names - one or more; by default api.authy.test
 */
export function selfSigned(...names: string[]): Promise<Certificate> {
  const key = names.join();
  const certificate = made.get(key) ?? make(names.length > 0 ? names : ['api.authy.test']);
  made.set(key, certificate);
  return certificate;
}

async function make(names: readonly string[]): Promise<Certificate> {
  const folder = await mkdtemp(path.join(tmpdir(), 'authy-cert-'));
  const keyFile = path.join(folder, 'key.pem');
  const certFile = path.join(folder, 'cert.pem');
  // prettier-ignore
  await promisify(execFile)('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
    '-subj', `/CN=${names[0] ?? ''}`,
    '-addext', `subjectAltName=IP:127.0.0.1,${names.map((name) => `DNS:${name}`).join()}`,
    '-keyout', keyFile, '-out', certFile,
  ]);
  const [key, cert] = await Promise.all([readFile(keyFile, 'utf8'), readFile(certFile, 'utf8')]);
  await rm(folder, { recursive: true });
  return { key, cert };
}
