import { byId, put, show } from './dom.js';
import { sentenceOf } from './problems.js';

/** How many lines screen readers can still go back to. */
const kept = 5;

/** Has screen readers read out what is new. */
export function tell(line) {
  const element = document.createElement('p');
  element.textContent = line;
  const news = byId('news');
  news.append(element);
  while (news.children.length > kept) news.firstElementChild.remove();
}

/** Shows beside what was tried why it did not work; hides that where the problem is undefined. */
export function report(place, problem) {
  put(place, problem === undefined ? '' : sentenceOf(problem));
  show(place, problem !== undefined);
}

/**
 * Does something that the user asked for. Its buttons do nothing meanwhile, but keep the focus.
 *
 * @param place - where a problem is reported
 * @returns whether it worked
 */
export async function attempt(place, buttons, action) {
  if (buttons.some((button) => button.getAttribute('aria-disabled') === 'true')) return false;
  const setBusy = (isBusy) => {
    for (const button of buttons) button.setAttribute('aria-disabled', String(isBusy));
  };
  setBusy(true);
  report(place, undefined);
  try {
    await action();
    return true;
  } catch (problem) {
    report(place, problem);
    if (problem.code === 'signedOut') dispatchEvent(new Event('signedout'));
    return false;
  } finally {
    setBusy(false);
  }
}
