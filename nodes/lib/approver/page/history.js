import { byId, fromTemplate, partsOf, put, putAsked, putDetails, setIcon, show } from './dom.js';
import { outcomeIcons } from './request-card.js';
import { dateOf, text } from './texts.js';

const parts = partsOf(byId('history'));

/** What is in the list now. */
let shown = '[]';

/** Shows what the person has answered, the newest first. An answer never changes afterwards. */
export function renderHistory(history) {
  const wanted = JSON.stringify(history);
  if (wanted !== shown) parts.list.replaceChildren(...history.map(rowOf));
  shown = wanted;
  show(parts.list, history.length > 0);
  show(parts.empty, history.length === 0);
}

function rowOf({ asker, message, details, outcome, at, phone }) {
  const row = fromTemplate('history-template');
  row.element.dataset.outcome = outcome;
  setIcon(row.parts.icon, outcomeIcons[outcome]);
  put(row.parts.outcome, text(`outcome.${outcome}`));
  put(row.parts.at, dateOf(at));
  row.parts.at.dateTime = new Date(at).toISOString();
  putAsked(row.parts.message, message);
  putAsked(row.parts.asker, asker);
  put(row.parts.phone, phone === null ? '' : text('history.by', { phone }));
  putDetails(row.parts.rows, details);
  show(row.parts.more, details.length > 0);
  return row.element;
}
