import { fileOf, type StaticFile } from '../../server/send';

/** What makes the page an app of the home screen. Source: https://www.w3.org/TR/appmanifest/ */
export function manifestOf(name: string): StaticFile {
  const icon = (size: string, purpose: string, src: string): object => ({
    src,
    sizes: size,
    type: src.endsWith('.svg') ? 'image/svg+xml' : 'image/png',
    purpose,
  });
  const manifest = {
    name,
    short_name: name.slice(0, 12).trim(),
    start_url: './',
    scope: './',
    id: './',
    display: 'standalone',
    background_color: '#f4f5fb',
    theme_color: '#3346c0',
    icons: [
      icon('192x192', 'any', 'icon-192.png'),
      icon('512x512', 'any', 'icon-512.png'),
      icon('512x512', 'maskable', 'icon-maskable-512.png'),
    ],
  };
  return fileOf(Buffer.from(JSON.stringify(manifest)), 'application/manifest+json; charset=utf-8');
}
