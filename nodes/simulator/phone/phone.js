(() => {
  'use strict';

  const { lang, dataset } = document.documentElement;

  /** The texts of the page in its language; `__name__` is replaced by a value. */
  const texts = JSON.parse(dataset.texts);

  function text(key, values = {}) {
    const found = key.split('.').reduce((part, name) => part[name], texts);
    return found.replace(/__(\w+?)__/g, (placeholder, name) => values[name] ?? placeholder);
  }

  const byId = (id) => document.getElementById(id);

  const pollEvery = 1000;
  const newest = 100;
  const tickEvery = 250;

  /** Where the control interface is: one level above the page. */
  const control = (path) => new URL(`../${path}`, location.href);

  /** Where the page is beside an editor: what stands before this in its path is the root of the editor. */
  const besideEditor = '/authy-simulator/';

  /** Inside Node-RED the control interface asks for the token that the editor got when its user logged in. */
  function authorization() {
    const inNodeRed = location.pathname.split(besideEditor);
    if (inNodeRed.length < 2) return {};
    const suffix = inNodeRed[0].replaceAll('/', '-');
    try {
      const { access_token: token } = JSON.parse(localStorage.getItem(`auth-tokens${suffix}`) ?? '{}');
      return token ? { Authorization: `Bearer ${token}` } : {};
    } catch {
      return {};
    }
  }

  /** Calls the control interface; an error's message is for the user of the page. */
  async function ask(method, path, body) {
    let response;
    let answer;
    try {
      response = await fetch(control(path), {
        method,
        headers: {
          ...authorization(),
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
        cache: 'no-store',
      });
      if (response.ok || response.status === 300) answer = await response.json();
    } catch {
      throw new Error(text('problem.unreachable'));
    }
    // An account in a subflow, with a phone for each instance of the subflow.
    if (response.status === 300) throw new SeveralPhones(answer.instances);
    if (!response.ok) throw new Refused(problemOf(method, response));
    return answer;
  }

  class Refused extends Error {
    /** @param key - of the text that says why */
    constructor(key) {
      super(text(`problem.${key}`));
      this.key = key;
    }
  }

  /** The account has several instances, each with its own phone; this page belongs to none of them. */
  class SeveralPhones extends Error {
    constructor(instances) {
      super('');
      this.instances = instances;
    }
  }

  /** The key of the text for a refusal. The page asks only for things that existed: with 404 they are gone. */
  function problemOf(method, { status, headers }) {
    // A refusal without JSON is not ours: for example a proxy that asks to log in.
    const isOurs = /json/.test(headers.get('content-type') ?? '');
    if (status === 403 && isOurs) return 'strangeName';
    if (status === 401 || status === 403) return 'logIn';
    if (status === 404) return method === 'GET' ? 'noSimulator' : 'gone';
    return status === 409 ? 'notPending' : 'failed';
  }

  /** Writes only differences: unchanged text must not be read out or selected again. */
  function put(element, value) {
    if (element.textContent !== value) element.textContent = value;
  }

  function show(element, visible) {
    if (element.hidden === visible) element.hidden = !visible;
  }

  /**
   * What the cards of one kind show.
   *
   * @param name - of their template
   * @param keyOf - names the item of a card, for as long as the page is open
   * @param update - writes an item into its card
   * @param make - prepares a new card
   */
  function kindOfCard(name, keyOf, update, make) {
    return { template: byId(`${name}-template`).content.firstElementChild, keyOf, update, make };
  }

  /**
   * Cards that are made once and then changed in place, so that focus and scroll stay where they are. In a list their order
   * never changes; a card may move from one list to another.
   */
  class Cards {
    constructor() {
      this.cards = new Map();
    }

    /** @param lists - each list with its items, oldest first, and their kinds */
    render(lists) {
      const keys = new Set(lists.flatMap(([, items]) => items.map(({ kind, item }) => kind.keyOf(item))));
      for (const [key, { element }] of this.cards) {
        if (!keys.has(key)) {
          element.remove();
          this.cards.delete(key);
        }
      }
      for (const [list, items] of lists) {
        let before = null;
        // Each before the one that was placed last: the newest comes first.
        for (const { kind, item } of items) {
          const key = kind.keyOf(item);
          const card = this.cards.get(key) ?? this.add(kind, item, key);
          const { element } = card;
          if (element.parentElement !== list) {
            // Only what is new moves in.
            element.classList.toggle('fresh', element.parentElement === null);
            list.insertBefore(element, before);
          }
          kind.update(card, item);
          before = element;
        }
      }
    }

    add({ template, make }, item, key) {
      const element = template.cloneNode(true);
      const parts = {};
      for (const part of element.querySelectorAll('[data-part]')) parts[part.dataset.part] = part;
      const card = { element, parts };
      this.cards.set(key, card);
      make?.(card, item);
      return card;
    }
  }

  // ---- the parts of the page ----

  let state = { appName: '', users: [], factors: [], approvals: [], messages: [] };
  let receivedAt = 0;
  /** The approval requests whose answer is on its way, by uuid. */
  const answering = new Set();

  const user = kindOfCard(
    'user',
    ({ authyId }) => authyId,
    ({ parts }, { authyId, phone, emails, app, authenticator }) => {
      put(parts.name, nameOf(phone) ?? phone);
      put(parts.identity, text('identity', { phone, id: authyId, email: emails[0] ?? '' }));
      if (parts.app.checked !== app) parts.app.checked = app;
      put(parts.codeLabel, text(app ? 'authyToken' : 'authenticator'));
      put(parts.code, grouped(authenticator.code));
    },
    ({ parts }, { authyId, authenticator }) => {
      parts.left.max = authenticator.period;
      parts.app.addEventListener('change', () => {
        void attempt(() => ask('PUT', `users/${authyId}`, { app: parts.app.checked }));
      });
    },
  );

  /** Authenticators and devices of Twilio Verify. */
  const factor = kindOfCard(
    'factor',
    ({ sid }) => sid,
    ({ parts }, { friendlyName, identity, verified, authenticator }) => {
      put(parts.name, friendlyName);
      put(parts.identity, text('factorOf', { identity }));
      put(parts.state, text(authenticator === null ? 'device' : verified ? 'confirmed' : 'unconfirmed'));
      show(parts.authenticator, authenticator !== null);
      if (authenticator === null) return;
      parts.left.max = authenticator.period;
      put(parts.code, grouped(authenticator.code));
    },
  );

  const approval = kindOfCard(
    'approval',
    ({ uuid }) => uuid,
    (card, asked) => {
      const { element, parts } = card;
      const isPending = asked.status === 'pending';
      const isAnswering = answering.has(asked.uuid);
      const isOpen = isPending || isAnswering;
      // What may be pressed below stays where it is.
      const isAnotherOpen = state.approvals.some(
        ({ uuid, status }) => uuid !== asked.uuid && status === 'pending',
      );
      if (!isAnotherOpen) element.style.minHeight = '';
      else if (card.isOpen && !isOpen) element.style.minHeight = `${element.offsetHeight}px`;
      card.isOpen = isOpen;
      element.dataset.status = asked.status;
      put(parts.source, text('from', { app: state.appName, phone: written(personOf(asked)) }));
      for (const button of [parts.approve, parts.deny]) {
        // Not `disabled` while the answer is on its way: that would take the focus away.
        button.setAttribute('aria-disabled', String(isAnswering));
      }
      put(parts.result, isPending ? (isAnswering ? text('answering') : '') : text(`status.${asked.status}`));
      show(parts.result, !isPending || isAnswering);
      if (!isOpen && parts.answers.contains(document.activeElement)) parts.result.focus();
      parts.approve.disabled = parts.deny.disabled = !isOpen;
      show(parts.answers, isOpen);
      show(parts.countdown, isPending && !isAnswering);
      const callback = callbackText(asked.callback);
      put(parts.callback, callback);
      show(parts.callback, callback !== '');
      parts.callback.classList.toggle('trouble', isTrouble(asked.callback));
    },
    ({ element, parts }, { uuid, message, createdAt, details, logos }) => {
      const id = `approval-${uuid}`;
      parts.message.id = id;
      element.setAttribute('aria-labelledby', id);
      parts.message.textContent = message;
      writeTime(parts.time, createdAt);
      makeDetails(parts.details, details);
      makeLogo(parts.logo, logos);
      for (const answer of ['approve', 'deny']) {
        const button = parts[answer];
        button.setAttribute('aria-describedby', id);
        button.addEventListener('click', () => void answerApproval(uuid, answer));
      }
    },
  );

  const message = kindOfCard(
    'message',
    ({ id }) => id,
    ({ parts }, { via, to }) => put(parts.kind, text(`sent.${via}`, { to: written(to) })),
    ({ parts }, { at, language, code, text: content }) => {
      writeTime(parts.time, at);
      parts.text.textContent = content;
      parts.text.lang = language ?? '';
      parts.code.textContent = code ?? '';
      show(parts.code, code !== null);
    },
  );

  /** What came: requests and messages. */
  const stream = new Cards();
  const users = new Cards();
  const factors = new Cards();

  const timeOfDay = new Intl.DateTimeFormat(lang, { timeStyle: 'medium' });

  function writeTime(element, at) {
    element.textContent = timeOfDay.format(new Date(at));
    element.dateTime = at;
  }

  function makeDetails(list, details) {
    for (const [label, value] of Object.entries(details ?? {})) {
      const term = document.createElement('dt');
      const description = document.createElement('dd');
      term.textContent = label;
      description.textContent = value;
      list.append(term, description);
    }
    show(list, details !== null);
  }

  function makeLogo(image, logos) {
    const wanted = ['high', 'med', 'default', 'low'].map((res) => logos?.find((logo) => logo.res === res));
    const url = wanted.find((logo) => logo !== undefined)?.url;
    if (!/^(https?:\/\/|data:image\/)/i.test(url ?? '')) return;
    image.addEventListener('error', () => show(image, false));
    image.src = url;
    show(image, true);
  }

  function callbackText(callback) {
    const { url, failure, error, status } = callback ?? {};
    // Without an address there is nothing to tell.
    if (callback === null || failure === 'missing') return '';
    if (isUnheard(callback)) return text('callback.closed', { url });
    if (failure !== undefined) return text(`callback.${failure}`, { error });
    if (status === undefined) return text('callback.sending');
    if (status === 401) return text('callback.password', { status });
    if (status === 403) return text('callback.forbidden', { status, url });
    if (status >= 500) return text('callback.broken', { status, url });
    return status < 300 ? text('callback.delivered', { url }) : text('callback.refused', { status });
  }

  /** Whether nothing is there to be called back, as in every flow that has the approval gate alone. */
  function isUnheard({ failure, status }) {
    return failure === 'closed' || status === 404;
  }

  /** Whether something has to be mended. A simulator that was told to lose a callback, or stopped, is in order. */
  function isTrouble(callback) {
    if (callback === null || isUnheard(callback)) return false;
    const { failure, status } = callback;
    return ['address', 'timeout', 'connection'].includes(failure) || status >= 300;
  }

  /** Digits in two groups, as authenticators show them. */
  function grouped(code) {
    const half = Math.floor(code.length / 2);
    return `${code.slice(0, half)} ${code.slice(half)}`;
  }

  function duration(milliseconds) {
    const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
    const two = (number) => String(number).padStart(2, '0');
    const clock = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
    return seconds < 3600 ? clock : `${Math.floor(seconds / 3600)}:${clock}`;
  }

  // ---- people ----

  /** Whose something is: a phone number, or an identity of Verify's, which knows no phone. */
  function personOf({ phone, identity }) {
    return phone ?? identity;
  }

  /** The name of the person with a phone, as the e-mail address has it; undefined if nothing tells. */
  function nameOf(phone) {
    const [email = ''] = state.users.find((known) => known.phone === phone)?.emails ?? [];
    const [local] = email.split(/[@+]/);
    const words = local.split(/[._-]+/).filter((word) => word !== '');
    return words.length === 0 ? undefined : words.map(capitalised).join(' ');
  }

  function capitalised(word) {
    return word.charAt(0).toLocaleUpperCase(lang) + word.slice(1);
  }

  /** A phone number with its person's name; anything else as it is. */
  function written(person) {
    const name = nameOf(person);
    return name === undefined ? person : text('person', { name, phone: person });
  }

  // ---- the filter ----

  const filter = byId('filter');

  /** The phones there are: those of users, those that were only sent something, and the identities. */
  function renderFilter() {
    const known = [...state.users, ...state.factors, ...state.messages];
    const phones = [...new Set(known.map(personOf))];
    const options = [['', text('allPhones')], ...phones.map((phone) => [phone, written(phone)])];
    if (
      options.map(String).join() !== [...filter.options].map((it) => `${it.value},${it.textContent}`).join()
    ) {
      const chosen = filter.value;
      filter.replaceChildren(...options.map(([value, label]) => new Option(label, value)));
      filter.value = phones.includes(chosen) ? chosen : '';
    }
    show(byId('chooser'), phones.length > 1);
  }

  filter.addEventListener('change', render);

  // ---- what is over ----

  /** How many of what is over are shown; the others are folded. */
  const shownOver = 5;

  function isWaiting({ uuid, status }) {
    return status === 'pending' || answering.has(uuid);
  }

  /** When something happened to it last. */
  function lastOf({ at, createdAt, answeredAt, expiresAt, status }) {
    return at ?? answeredAt ?? (status === 'expired' ? expiresAt : createdAt);
  }

  const byTime = (timeOf) => (one, other) => (timeOf(one) < timeOf(other) ? -1 : 1);

  /** Until when this page is cleared: what was over by then is not shown. */
  const cleared = {
    place: `cleared ${location.pathname}`,
    get until() {
      return sessionStorage.getItem(this.place) ?? '';
    },
    set until(time) {
      sessionStorage.setItem(this.place, time);
    },
  };

  byId('clear').addEventListener('click', () => {
    const times = [...state.approvals, ...state.messages].map(lastOf);
    cleared.until = times.sort().at(-1) ?? '';
    render();
  });

  // ---- events ----

  /** What came for the chosen phones, oldest first: what is shown, and what is folded. */
  function streamOf({ approvals, messages }) {
    const { until } = cleared;
    const entries = [
      ...approvals.map((item) => ({ kind: approval, item })),
      ...messages.map((item) => ({ kind: message, item })),
    ]
      .filter(({ item }) => isWaiting(item) || lastOf(item) > until)
      .sort(byTime(({ item }) => item.at ?? item.createdAt));
    const over = entries.filter(({ item }) => !isWaiting(item)).sort(byTime(({ item }) => lastOf(item)));
    const folded = new Set(over.slice(0, -shownOver));
    return {
      shown: entries.filter((entry) => !folded.has(entry)),
      folded: entries.filter((entry) => folded.has(entry)),
    };
  }

  function render() {
    renderFilter();
    const ofPhone = (item) => filter.value === '' || personOf(item) === filter.value;
    const chosen = {
      users: state.users.filter(ofPhone),
      factors: state.factors.filter(ofPhone),
      approvals: state.approvals.filter(ofPhone),
      messages: state.messages.filter(ofPhone),
    };
    const { shown, folded } = streamOf(chosen);
    steadily(() => {
      stream.render([
        [byId('stream'), shown],
        [byId('old'), folded],
      ]);
      show(byId('nothing'), shown.length === 0);
      put(byId('earlier-summary'), text('earlier', { count: folded.length }));
      show(byId('earlier'), folded.length > 0);
    });
    users.render([[byId('users'), chosen.users.map((item) => ({ kind: user, item }))]]);
    factors.render([[byId('factors'), chosen.factors.map((item) => ({ kind: factor, item }))]]);
    show(byId('no-users'), chosen.users.length + chosen.factors.length === 0);
    announce(chosen);
    renderTitle();
    tick();
  }

  /**
   * Changes the page. What somebody is about to press stays where it is on the screen, whatever comes above it: nobody must
   * approve something else by accident.
   */
  function steadily(change) {
    const held = document.querySelector('.answers:hover') ?? document.querySelector('.answers:focus-within');
    const before = held?.getBoundingClientRect().top;
    document.documentElement.classList.toggle('held', held !== null);
    change();
    if (!held?.isConnected || held.hidden) return;
    const moved = held.getBoundingClientRect().top - before;
    if (moved === 0) return;
    // A short page has to become long enough to be scrolled.
    document.body.style.minHeight = `${innerHeight + scrollY + moved}px`;
    scrollBy(0, moved);
  }

  /** How many messages came while nobody could see the page. */
  let unseen = 0;

  /** The title says how much there is to look at; it and the heading tell several simulators apart. */
  function renderTitle() {
    const count = state.approvals.filter(({ status }) => status === 'pending').length + unseen;
    const app = /simulator/i.test(state.appName) ? [] : [state.appName];
    put(byId('name'), [...app, text('name')].join(' · '));
    const title = [...app, text('title')].join(' · ');
    const shown = count === 0 ? title : text('titleWaiting', { count, title });
    if (document.title !== shown) document.title = shown;
  }

  /** What was there before; undefined until the first answer, whose contents are not new. */
  let seen;

  /** Tells what has arrived: screen readers, the title, and by a sound. */
  function announce({ approvals, messages }) {
    const before = seen;
    const keyOf = ({ uuid, id }) => uuid ?? id;
    seen = new Set([...state.approvals, ...state.messages].map(keyOf));
    if (before === undefined) return;
    const isNew = (item) => !before.has(keyOf(item));
    const asked = approvals.filter(isNew);
    const sent = messages.filter(isNew);
    for (const { message: question } of asked) tell(text('news.approval', { text: question }));
    for (const { text: content } of sent) tell(text('news.message', { text: content }));
    if (document.hidden) unseen += sent.length;
    if (asked.length + sent.length > 0) ring();
  }

  /** Made with the first sound: a browser allows none before somebody has pressed something. */
  let speaker;

  /** Two short tones, if they are switched on. */
  function ring() {
    if (!byId('sound').checked) return;
    speaker ??= new AudioContext();
    const begin = speaker.currentTime;
    for (const [start, frequency] of [
      [0, 660],
      [0.15, 880],
    ]) {
      const [tone, volume] = [
        new OscillatorNode(speaker, { frequency }),
        new GainNode(speaker, { gain: 0.1 }),
      ];
      tone.connect(volume).connect(speaker.destination);
      tone.start(begin + start);
      tone.stop(begin + start + 0.12);
    }
  }

  // So that one hears what it will be like.
  byId('sound').addEventListener('change', ring);

  function tell(news) {
    const line = document.createElement('p');
    line.textContent = news;
    byId('news').append(line);
    while (byId('news').children.length > 5) byId('news').firstElementChild.remove();
  }

  /** The clocks that run between two answers of the simulator. */
  function tick() {
    const passed = performance.now() - receivedAt;
    const countDown = (parts, { secondsLeft }) => {
      parts.left.value = Math.max(0, secondsLeft - Math.floor(passed / 1000));
    };
    for (const { authyId, authenticator } of state.users) {
      const { parts } = users.cards.get(authyId) ?? {};
      if (parts !== undefined) countDown(parts, authenticator);
    }
    for (const { sid, authenticator } of state.factors) {
      const { parts } = factors.cards.get(sid) ?? {};
      if (parts !== undefined && authenticator !== null) countDown(parts, authenticator);
    }
    for (const { uuid, status, expiresIn } of state.approvals) {
      const { parts } = stream.cards.get(uuid) ?? {};
      if (parts === undefined || status !== 'pending') continue;
      put(
        parts.countdown,
        expiresIn === null ? text('neverExpires') : text('expiresIn', { time: duration(expiresIn - passed) }),
      );
    }
  }

  function report(problem) {
    put(byId('problem'), problem);
    show(byId('problem'), problem !== '');
  }

  /** How many changes are on their way; meanwhile readings are out of date. */
  let busy = 0;

  /** Changes something and shows the result. */
  async function attempt(action) {
    busy += 1;
    let problem = '';
    try {
      await action();
    } catch (error) {
      problem = error.message;
    }
    busy -= 1;
    await refresh().catch((error) => {
      problem ||= error.message;
    });
    report(problem);
  }

  async function answerApproval(uuid, answer) {
    if (answering.has(uuid)) return;
    answering.add(uuid);
    render();
    await attempt(async () => {
      try {
        const { status, message: question } = await ask('POST', `approvals/${uuid}`, { answer });
        tell(text('news.answered', { text: question, status: text(`status.${status}`) }));
      } finally {
        answering.delete(uuid);
      }
    });
  }

  let latest = 0;

  async function refresh() {
    latest += 1;
    const turn = latest;
    const answer = await ask('GET', `state?limit=${newest}`);
    // Another reading was begun since, or something is being changed: this one is out of date.
    if (turn !== latest || busy > 0) return;
    state = answer;
    receivedAt = performance.now();
    render();
  }

  /** The links to the phones of an account's instances, if there are several. */
  function renderInstances(instances) {
    const list = byId('instances-list');
    const texts = instances.map(({ id, name }) => name || id);
    if (texts.join('\n') !== [...list.children].map(({ textContent }) => textContent).join('\n')) {
      list.replaceChildren(
        ...instances.map(({ id }, index) => {
          const item = document.createElement('li');
          const link = document.createElement('a');
          link.href = `../../${encodeURIComponent(id)}/phone/`;
          link.textContent = texts[index];
          item.append(link);
          return item;
        }),
      );
    }
    show(byId('instances'), instances.length > 0);
  }

  let shownProblem = false;
  /** How often in a row there was no simulator. */
  let gone = 0;
  const phone = document.querySelector('main');

  async function poll() {
    // Also while nobody sees the page: its title tells what came.
    if (busy === 0) {
      try {
        await refresh();
        if (shownProblem) report('');
        shownProblem = false;
        renderInstances([]);
        gone = 0;
        show(phone, true);
      } catch (error) {
        renderInstances(error instanceof SeveralPhones ? error.instances : []);
        report(error.message);
        shownProblem = true;
        // Its codes are believed by nobody any more, and no request comes to it. Once alone it may be a deploy.
        gone = error.key === 'noSimulator' ? gone + 1 : 0;
        if (gone > 1) show(phone, false);
      }
    }
    setTimeout(poll, pollEvery);
  }

  /** How a real phone can open this page. */
  function nearby() {
    const { hostname: host, pathname, href } = location;
    const isThisMachine = host === 'localhost' || host === '[::1]' || host.startsWith('127.');
    if (!isThisMachine) return text('nearby.network', { address: href });
    return text(pathname.includes(besideEditor) ? 'nearby.thisMachine' : 'nearby.alone', { host });
  }

  put(byId('nearby'), nearby());
  setInterval(() => {
    if (!document.hidden) tick();
  }, tickEvery);
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) return;
    unseen = 0;
    refresh().catch((error) => report(error.message));
  });
  void poll();
})();
