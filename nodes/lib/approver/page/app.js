import { call } from './api.js';
import { byId, put, show } from './dom.js';
import { Enrolment } from './enrolment.js';
import { renderHistory } from './history.js';
import { offerInstallation } from './install.js';
import { Live } from './live.js';
import { report } from './news.js';
import { Notifications } from './notifications.js';
import { Phone } from './phone.js';
import { Requests } from './requests.js';
import { SignIn } from './sign-in.js';

const views = ['loading', 'enrolment', 'sign-in', 'requests', 'history', 'phone'];

/** Those of a phone that is signed in. */
const tabs = ['requests', 'history', 'phone'];

let state;
let view = 'loading';
/** A request that is to be shown as soon as it is there. */
let wanted;

const requests = new Requests(
  () => void live.refresh(),
  (count) => enrolment.tellWaiting(count),
);
const notifications = new Notifications(() => live.refresh());
const phone = new Phone(() => live.refresh());
const enrolment = new Enrolment(
  () => live.refresh(),
  () => {
    route();
    byId('requests-heading').focus();
  },
);
const signIn = new SignIn(
  () => live.refresh(),
  (token) => {
    location.hash = `#i=${token}`;
  },
);
const live = new Live(refresh);

let latest = 0;

/** Asks for the state and shows it. @returns whether the server answered */
async function refresh() {
  latest += 1;
  const turn = latest;
  try {
    const answer = await call('state');
    // Another reading was begun since: this one is out of date.
    if (turn !== latest) return true;
    state = answer;
    report(byId('connection'), undefined);
  } catch (problem) {
    if (turn === latest) report(byId('connection'), problem);
    return false;
  }
  render();
  return true;
}

function render() {
  put(byId('account'), state.account);
  live.isSignedIn = state.signedIn;
  if (state.signedIn) {
    requests.render(state);
    renderHistory(state.history);
    phone.render(state);
    void notifications.render(state);
  } else {
    requests.clear();
    signIn.render(state);
  }
  route();
  showWanted();
}

/** Shows the view that the address and the state ask for. */
function route() {
  if (state === undefined) return;
  const [, invitation] = /^#i=(.*)$/.exec(location.hash) ?? [];
  const [, request] = /^#r=(.*)$/.exec(location.hash) ?? [];
  if (invitation !== undefined) {
    if (invitation !== enrolment.token) void enrolment.begin(invitation, state);
    enter('enrolment');
    return;
  }
  if (enrolment.isGoingOn) return;
  if (request !== undefined) {
    // Whoever comes back to the page later does not mean this request any more.
    history.replaceState(null, '', '#requests');
    bring(request);
  }
  const asked = location.hash.slice(1);
  enter(state.signedIn ? (tabs.includes(asked) ? asked : 'requests') : 'sign-in');
}

function enter(name) {
  for (const each of views) show(byId(each), each === name);
  show(byId('tabs'), tabs.includes(name));
  for (const link of byId('tabs').children) {
    if (link.hash === `#${name}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  if (view === name) return;
  const isFirst = view === 'loading';
  view = name;
  requests.count();
  if (isFirst) return;
  scrollTo(0, 0);
  byId(`${name}-heading`).focus({ preventScroll: true });
}

/** Brings a request to the front, which may be newer than the state that is known. */
function bring(id) {
  wanted = id;
  void live.refresh();
}

/** Shows the request that is wanted or, if it is over, how it ended. */
function showWanted() {
  if (wanted === undefined || !state.signedIn) return;
  const isThere = requests.goTo(wanted);
  if (!isThere && state.history.some(({ id }) => id === wanted)) location.hash = '#history';
  wanted = undefined;
}

addEventListener('hashchange', route);
addEventListener('signedout', () => void live.refresh());
// Of the service worker: the notification of a request was tapped, or this browser's subscription has changed.
navigator.serviceWorker?.addEventListener('message', ({ data }) => {
  if (data.id === undefined) void live.refresh();
  else {
    location.hash = '#requests';
    bring(data.id);
  }
});
offerInstallation();
void live.refresh();
