import { renderSVG } from 'uqr';
import { AuthyError } from '../contract/errors';

/** A QR code as an address that holds the image itself. @param size - width and height in pixels */
export function qrPicture(text: string, size: number): string {
  const svg = renderSVG(text, { border: 4 }).replace('<svg ', `<svg width="${size}" height="${size}" `);
  if (!svg.startsWith('<svg width='))
    throw new AuthyError('AUTHY_REJECTED', 'Shorten the label: the QR code could not be drawn.');
  return `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
}
