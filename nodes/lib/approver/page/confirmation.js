import { byId, partsOf, put, show } from './dom.js';
import { text } from './texts.js';

/**
 * Asks once more before something that cannot be taken back.
 *
 * @param question - the name of its texts below `confirm`
 * @param quoted - what it is about, in somebody else's words
 * @returns whether the user wants it
 */
export async function confirmed(question, quoted = '') {
  const dialog = byId('confirmation');
  const parts = partsOf(dialog);
  put(parts.heading, text(`confirm.${question}.heading`));
  put(parts.text, text(`confirm.${question}.text`));
  put(parts.yes, text(`confirm.${question}.yes`));
  put(parts.quoted, quoted);
  show(parts.quoted, quoted !== '');
  dialog.returnValue = '';
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }));
  return dialog.returnValue === 'yes';
}
