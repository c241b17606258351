// First-party tracking: page, track, identify, consent. How to load it and what it promises: docs/snippet.md
(() => {
  'use strict';
  const win = window, doc = document, nav = navigator;
  const script = doc.currentScript || doc.querySelector('script[data-key]') || { dataset: {} }, { key, consent } = script.dataset;
  const stub = win.cdp = win.cdp || {};
  if (stub.page && !stub.q) return;
  if (!key) return console.error('cdp: the script element has no data-key, nothing is sent');
  const QUEUE = 'cdp:', ID = 'cdp.id', USER = 'cdp.user', CONSENT = 'cdp.consent';
  const host = new URL('.', script.src).href, beacon = host + 'beacon/v1/batch?writeKey=' + encodeURIComponent(key);
  const loaded = Date.now();
  let box, held = [], visitor, last = 0, fails = 0, busy, timer;
  try { box = localStorage; } catch (_) { /* forbidden here */ }
  box = box || {};

  const warn = what => console.warn('cdp: ' + what);
  const keep = (name, value) => { try { box[name] = value; return 1; } catch (_) { /* full */ } };
  const uuid = () => '10000000-1000-4000-8000-100000000000'.replace(/[018]/g, c =>
    (c ^ crypto.getRandomValues(new Uint8Array(1))[0] & 15 >> c / 4).toString(16));
  const size = text => new Blob([text]).size;
  const may = () => box[CONSENT] ? box[CONSENT] == 'yes' : consent != 'required';

  // The queue is an entry of the storage for each event, so that no tab overwrites another's. Its value is the event's
  // JSON, after the time at which it was last handed over without an answer so far: what this page handed over, it
  // does not send again before it hears that it failed; a page loaded later does.
  const keys = () => Object.keys(box).filter(k => !k.indexOf(QUEUE)).sort();
  const mark = (list, at) => list.forEach(([k, json]) => box[k] && keep(k, at + json));
  const take = () => {
    const list = [];
    let bytes = 0;
    for (const k of keys()) {
      const value = box[k] || '{', start = value.indexOf('{'), at = +value.slice(0, start), json = value.slice(start);
      // After half a day a duplicate might no longer be known as one.
      if (at && at < Date.now() - 432e5) delete box[k];
      else if (at < loaded && json[1]) {
        if ((bytes += size(json) + 1) > 59e3) break;
        list.push([k, json]);
      }
    }
    mark(list, Date.now());
    return list;
  };
  const body = list =>
    `{"writeKey":${JSON.stringify(key)},"sentAt":"${new Date().toISOString()}","batch":[${list.map(e => e[1])}]}`;
  const later = ms => { timer = timer || setTimeout(send, ms); };

  const send = async () => {
    clearTimeout(timer);
    timer = 0;
    const list = busy || !may() ? [] : take();
    if (!list[0]) return;
    let wait = 0;
    busy = 1;
    try {
      const answer = await fetch(host + 'v1/batch', { method: 'POST', body: body(list), keepalive: true });
      const status = answer.status;
      await answer.text(); // until then its bytes count against what may leave with keepalive
      if (status > 499 || status == 429 || status == 408) {
        wait = answer.headers.get('retry-after') * 1e3;
        throw 0;
      }
      answer.ok || warn(`${status}: ${list.length} events dropped`);
      list.forEach(e => delete box[e[0]]);
      fails = 0;
    } catch (_) {
      mark(list, '');
      wait = Math.min(3e5, Math.max(wait, 1e3 * 2 ** fails++ * (.5 + Math.random())));
    }
    busy = 0;
    later(wait);
  };
  const leave = () => {
    for (let list; !fails && nav.onLine && may() && (list = take())[0];)
      if (!nav.sendBeacon(beacon, body(list))) return mark(list, '');
  };

  const put = event => {
    const who = event.userId, queue = keys();
    if (who) {
      if (box[USER] && box[USER] != who) forget(ID);
      keep(USER, who);
    }
    event.userId = box[USER] || who || undefined;
    event.anonymousId = visitor = box[ID] || visitor || uuid();
    keep(ID, visitor);
    event.context.consent = box[CONSENT] ? true : null;
    const json = JSON.stringify(event);
    if (size(json) > 32768) return warn('an event over 32 KiB is dropped');
    while (queue.length > 999) delete box[queue.shift()];
    last = Math.max(Date.now(), last + 1);
    while (!keep(QUEUE + last + event.messageId, json)) {
      if (!queue[0]) return warn('storage is full, an event is dropped');
      delete box[queue.shift()];
    }
    later(200);
  };
  const forget = (...names) => {
    visitor = 0;
    names.forEach(k => delete box[k]);
  };
  const say = (type, fields) => {
    if (box[CONSENT] == 'no') return;
    const { href, pathname, search } = location, { width, height } = screen;
    const event = Object.assign({ type, messageId: uuid(), timestamp: new Date() }, fields, {
      context: {
        page: { url: href, path: pathname, search, title: doc.title, referrer: doc.referrer },
        locale: nav.language, userAgent: nav.userAgent, screen: { width, height, density: win.devicePixelRatio },
        library: { name: 'cdp.js', version: '1' }
      }
    });
    may() ? put(event) : held.push(event) > 999 && held.shift();
  };

  Object.assign(stub, {
    page: (name, properties) => say('page', { name, properties }),
    track: (event, properties) => say('track', { event, properties }),
    identify: (userId, traits) => say('identify', { userId, traits }),
    consent: given => {
      if (!given) forget(ID, USER, ...keys());
      keep(CONSENT, given ? 'yes' : 'no');
      held.splice(0).forEach(event => given && put(event));
    }
  });
  win.addEventListener('online', () => { fails = 0; send(); });
  win.addEventListener('pagehide', leave);
  doc.addEventListener('visibilitychange', () => doc.hidden && leave());
  (stub.q || []).forEach(([name, ...rest]) => stub[name](...rest));
  delete stub.q;
  later(0);
})();
