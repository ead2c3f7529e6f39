import { byId, partsOf, put, show } from './dom.js';
import { text } from './texts.js';

/** Whether the page was opened from the home screen, where it is like an app. */
const isInstalled = matchMedia('(display-mode: standalone)').matches || navigator.standalone === true;

/** Says how the page gets on the home screen, in each place of the page that has `data-place="install"`. */
export function offerInstallation() {
  const places = [...document.querySelectorAll('[data-place=install]')];
  const all = places.map((place) => {
    place.append(byId('install-template').content.cloneNode(true));
    show(place, !isInstalled);
    const parts = partsOf(place);
    // Only Safari has this property.
    put(parts.hint, text('standalone' in navigator ? 'install.hintShare' : 'install.hintMenu'));
    return parts;
  });
  addEventListener('beforeinstallprompt', (event) => {
    event.preventDefault();
    for (const parts of all) {
      put(parts.hint, text('install.hint'));
      show(parts.install, true);
      parts.install.onclick = () => void event.prompt();
    }
  });
  addEventListener('appinstalled', () => {
    for (const place of places) show(place, false);
  });
}
