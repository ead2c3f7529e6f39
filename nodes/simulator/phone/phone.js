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

  /** Inside Node-RED the control interface asks for the token that the editor got when its user logged in. */
  function authorization() {
    const inNodeRed = location.pathname.split('/authy-simulator/');
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
    if (!response.ok) throw new Error(text(`problem.${problemOf(method, response)}`));
    return answer;
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
   * A list whose items are made once and then changed in place, so that focus and scroll stay where they are.
   * Items come newest first and never change places.
   */
  class CardList {
    constructor(id, make, update) {
      this.list = byId(id);
      this.template = byId(`${id.slice(0, -1)}-template`);
      this.make = make;
      this.update = update;
      this.cards = new Map();
    }

    render(items, keyOf) {
      const keys = new Set(items.map(keyOf));
      for (const [key, { element }] of this.cards) {
        if (!keys.has(key)) {
          element.remove();
          this.cards.delete(key);
        }
      }
      let before = null;
      // From the oldest on, each before the one that was placed last.
      for (const item of items) {
        const key = keyOf(item);
        let card = this.cards.get(key);
        if (card === undefined) {
          const element = this.template.content.firstElementChild.cloneNode(true);
          const parts = {};
          for (const part of element.querySelectorAll('[data-part]')) parts[part.dataset.part] = part;
          card = { element, parts };
          this.make?.(card, item);
          element.classList.add('fresh');
          this.list.insertBefore(element, before);
          this.cards.set(key, card);
        }
        this.update(card, item);
        before = card.element;
      }
    }
  }

  // ---- the parts of the page ----

  let state = { appName: '', users: [], factors: [], approvals: [], messages: [] };
  let receivedAt = 0;
  /** The approval requests whose answer is on its way, by uuid. */
  const answering = new Set();

  const users = new CardList(
    'users',
    ({ parts }, user) => {
      parts.left.max = user.authenticator.period;
      parts.app.addEventListener('change', () => {
        void attempt(() => ask('PUT', `users/${user.authyId}`, { app: parts.app.checked }));
      });
    },
    ({ parts }, user) => {
      put(parts.phone, user.phone);
      put(parts.identity, text('identity', { id: user.authyId, email: user.emails[0] ?? '' }));
      if (parts.app.checked !== user.app) parts.app.checked = user.app;
      put(parts.codeLabel, text(user.app ? 'authyToken' : 'authenticator'));
      put(parts.code, grouped(user.authenticator.code));
    },
  );

  /** Authenticators and devices of Twilio Verify. */
  const factors = new CardList('factors', undefined, ({ parts }, factor) => {
    const { friendlyName, identity, verified, authenticator } = factor;
    put(parts.name, friendlyName);
    put(parts.identity, text('factorOf', { identity }));
    put(parts.state, text(authenticator === null ? 'device' : verified ? 'confirmed' : 'unconfirmed'));
    show(parts.authenticator, authenticator !== null);
    if (authenticator === null) return;
    parts.left.max = authenticator.period;
    put(parts.code, grouped(authenticator.code));
  });

  const approvals = new CardList(
    'approvals',
    ({ element, parts }, approval) => {
      const id = `approval-${approval.uuid}`;
      parts.message.id = id;
      element.setAttribute('aria-labelledby', id);
      parts.message.textContent = approval.message;
      makeDetails(parts.details, approval.details);
      makeLogo(parts.logo, approval.logos);
      for (const answer of ['approve', 'deny']) {
        const button = parts[answer];
        button.setAttribute('aria-describedby', id);
        button.addEventListener('click', () => void answerApproval(approval.uuid, answer));
      }
    },
    ({ element, parts }, approval) => {
      const isPending = approval.status === 'pending';
      const isAnswering = answering.has(approval.uuid);
      const isOpen = isPending || isAnswering;
      element.dataset.status = approval.status;
      put(parts.source, text('from', { app: state.appName, phone: personOf(approval) }));
      for (const button of [parts.approve, parts.deny]) {
        // Not `disabled` while the answer is on its way: that would take the focus away.
        button.setAttribute('aria-disabled', String(isAnswering));
      }
      put(
        parts.result,
        isPending ? (isAnswering ? text('answering') : '') : text(`status.${approval.status}`),
      );
      show(parts.result, !isPending || isAnswering);
      if (!isOpen && parts.answers.contains(document.activeElement)) parts.result.focus();
      parts.approve.disabled = parts.deny.disabled = !isOpen;
      show(parts.answers, isOpen);
      show(parts.countdown, isPending);
      put(parts.callback, callbackText(approval.callback));
      show(parts.callback, approval.callback !== null);
    },
  );

  const timeOfDay = new Intl.DateTimeFormat(lang, { timeStyle: 'medium' });

  const messages = new CardList('messages', undefined, ({ parts }, message) => {
    put(parts.kind, text(`sent.${message.via}`, { to: message.to }));
    put(parts.time, timeOfDay.format(new Date(message.at)));
    parts.time.dateTime = message.at;
    put(parts.text, message.text);
    parts.text.lang = message.language ?? '';
    put(parts.code, message.code ?? '');
    show(parts.code, message.code !== null);
  });

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
    if (callback === null) return '';
    const { failure, error, status } = callback;
    if (failure !== undefined) return text(`callback.${failure}`, { error });
    if (status === undefined) return text('callback.sending');
    if (status === 401) return text('callback.password', { status });
    return text(status < 300 ? 'callback.delivered' : 'callback.refused', { status });
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

  // ---- the filter ----

  const filter = byId('filter');

  /** Whose something is: a phone number, or an identity of Verify's, which knows no phone. */
  function personOf({ phone, identity }) {
    return phone ?? identity;
  }

  /** The phones there are: those of users, those that were only sent something, and the identities. */
  function renderFilter() {
    const known = [...state.users, ...state.factors, ...state.messages];
    const phones = [...new Set(known.map(personOf))];
    const values = ['', ...phones];
    if (values.join() !== [...filter.options].map(({ value }) => value).join()) {
      const chosen = filter.value;
      filter.replaceChildren(...values.map((phone) => new Option(phone || text('allPhones'), phone)));
      filter.value = values.includes(chosen) ? chosen : '';
    }
    show(byId('chooser'), phones.length > 1);
  }

  filter.addEventListener('change', render);

  // ---- events ----

  function render() {
    renderFilter();
    const ofPhone = (item) => filter.value === '' || personOf(item) === filter.value;
    const shown = {
      users: state.users.filter(ofPhone),
      factors: state.factors.filter(ofPhone),
      approvals: state.approvals.filter(ofPhone),
      messages: state.messages.filter(ofPhone),
    };
    users.render(shown.users, ({ authyId }) => authyId);
    factors.render(shown.factors, ({ sid }) => sid);
    approvals.render(shown.approvals, ({ uuid }) => uuid);
    messages.render(shown.messages, ({ id }) => id);
    show(byId('no-users'), shown.users.length + shown.factors.length === 0);
    show(byId('no-approvals'), shown.approvals.length === 0);
    show(byId('no-messages'), shown.messages.length === 0);
    announce(shown);
    const waiting = shown.approvals.filter(({ status }) => status === 'pending').length;
    const title = waiting === 0 ? text('title') : text('titleWaiting', { count: waiting });
    if (document.title !== title) document.title = title;
    tick();
  }

  /** What was there before; undefined until the first answer, whose contents are not new. */
  let seen;

  /** Announces to screen readers what has arrived. */
  function announce(shown) {
    const before = seen;
    const keyOf = ({ uuid, id }) => uuid ?? id;
    seen = new Set([...state.approvals, ...state.messages].map(keyOf));
    if (before === undefined) return;
    const isNew = (item) => !before.has(keyOf(item));
    for (const { message } of shown.approvals.filter(isNew)) tell(text('news.approval', { text: message }));
    for (const message of shown.messages.filter(isNew)) tell(text('news.message', { text: message.text }));
  }

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
    for (const approval of state.approvals) {
      const { parts } = approvals.cards.get(approval.uuid) ?? {};
      if (parts === undefined || approval.status !== 'pending') continue;
      const { expiresIn } = approval;
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
        const { status, message } = await ask('POST', `approvals/${uuid}`, { answer });
        tell(text('news.answered', { text: message, status: text(`status.${status}`) }));
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

  async function poll() {
    if (!document.hidden && busy === 0) {
      try {
        await refresh();
        if (shownProblem) report('');
        shownProblem = false;
        renderInstances([]);
      } catch (error) {
        renderInstances(error instanceof SeveralPhones ? error.instances : []);
        report(error.message);
        shownProblem = true;
      }
    }
    setTimeout(poll, pollEvery);
  }

  setInterval(() => {
    if (!document.hidden) tick();
  }, tickEvery);
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) refresh().catch((error) => report(error.message));
  });
  void poll();
})();
