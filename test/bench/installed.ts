import fs from 'node:fs';
import path from 'node:path';
import { installedModules, packageName } from '../support/node_red';
import type { Measure } from './figures';

/** How much disk space the packed package takes when it is installed; skips if no registry answers. */
export async function installedFigures(context: Mocha.Context): Promise<Measure[]> {
  const modules = await installedModules(context);
  const megabytes = (folder: string): number => bytesBelow(folder) / 1e6;
  return [
    { what: 'installed packages, itself included', unit: '', rounds: [packagesBelow(modules)] },
    { what: 'installed size', unit: 'MB', rounds: [megabytes(modules)] },
    { what: 'of that, the package itself', unit: 'MB', rounds: [megabytes(path.join(modules, packageName))] },
  ];
}

function bytesBelow(folder: string): number {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + fs.statSync(path.join(parentPath, name)).size, 0);
}

/** Counts the packages in a node_modules, including those inside packages. */
function packagesBelow(modules: string): number {
  if (!fs.existsSync(modules)) return 0;
  return fs
    .readdirSync(modules)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@')
        ? fs.readdirSync(path.join(modules, name)).map((inner) => path.join(name, inner))
        : [name],
    )
    .reduce((sum, name) => sum + 1 + packagesBelow(path.join(modules, name, 'node_modules')), 0);
}
