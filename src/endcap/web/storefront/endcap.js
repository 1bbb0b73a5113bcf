(() => {
  "use strict";
  // <script defer src="https://HOST/endcap.js" data-key="PUBLISHABLE KEY"></script>
  const w = window, d = document, n = navigator, me = d.currentScript, o = me.dataset;
  const host = new URL(me.src).origin, key = o.key ? "key=" + encodeURIComponent(o.key) : "";
  const fresh = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (x) => x.toString(36)).join("");
  const may = { measure: o.consent === "granted", personal: o.consent === "granted" };
  let id = fresh(), queue = [], timer;

  // The id lives in memory only until measuring is allowed; taken back, it is removed.
  const remember = () => {
    if (n.globalPrivacyControl) may.personal = false;
    try {
      if (may.measure) localStorage.endcap = id = localStorage.endcap || id;
      else if (localStorage.endcap) { localStorage.removeItem("endcap"); id = fresh(); }
    } catch (e) { /* storage is off: the id stays in memory */ }
    if (may.measure && queue.length) later();
  };
  const consent = (c) => {
    for (const [name, ours] of [["analytics_storage", "measure"], ["personalization_storage", "personal"]])
      if (c[name]) may[ours] = c[name] === "granted";
    for (const ours in may) if (typeof c[ours] === "boolean") may[ours] = c[ours];
    remember();
  };

  const flush = () => {
    clearTimeout(timer);
    timer = 0;
    if (!may.measure || !queue.length) return;
    const body = JSON.stringify({ client_id: id, events: queue.splice(0, 20) });
    const url = host + "/v1/events/ga4?" + key;
    // A text body needs no preflight.
    if (!(n.sendBeacon && n.sendBeacon(url, body)))
      fetch(url, { method: "POST", body, keepalive: true }).catch(() => {});
    if (queue.length) later();
  };
  const later = () => { timer = timer || setTimeout(flush, 1000); };
  const track = (name, params) => {
    if (queue.length >= 100) queue.shift();
    queue.push({ name, params, timestamp_micros: Date.now() * 1000 });
    if (may.measure) queue.length >= 20 ? flush() : later();
  };
  addEventListener("pagehide", flush);
  d.addEventListener("visibilitychange", () => d.visibilityState === "hidden" && flush());

  // What GA4 and consent mode push, before this script and after.
  const tap = (x) => {
    try {
      if (x[0] === "consent") consent(x[2] || {});
      else if (x.event && x.ecommerce) track(x.event, x.ecommerce);
    } catch (e) { /* another script's data never breaks the page */ }
  };
  const layer = (w.dataLayer = w.dataLayer || []), push = layer.push;
  layer.forEach(tap);
  layer.push = (...all) => { all.forEach(tap); return push.apply(layer, all); };

  const waiting = (w.endcap && w.endcap.q) || [];
  w.endcap = (what, a, b) => what === "consent" ? consent(a) : track(a, b || {});
  waiting.forEach((call) => w.endcap(...call));
  const shopify = w.Shopify && w.Shopify.customerPrivacy;
  if (shopify) consent({ measure: shopify.analyticsProcessingAllowed(), personal: shopify.preferencesProcessingAllowed() });
  remember();

  customElements.define("endcap-slot", class extends HTMLElement {
    connectedCallback() {
      const data = this.dataset;
      if (getComputedStyle(this).display === "inline") this.style.display = "block";
      const ask = new URLSearchParams(key);
      for (const name of ["seed", "count", "zone", "device", "category"]) if (data[name]) ask.set(name, data[name]);
      if (may.personal) ask.set("visitor", id);
      const stop = new AbortController();
      const clock = setTimeout(() => stop.abort(), +data.timeout || 800);
      fetch(host + "/v1/recommendations/" + encodeURIComponent(data.placement) + "?" + ask, { signal: stop.signal })
        .then((r) => r.ok ? r.json() : Promise.reject())
        .then((slate) => slate.items.length ? this.fill(slate) : Promise.reject())
        // What the server rendered stays; space that the page keeps for the slot stays too.
        .catch(() => { if (!this.querySelector(":scope > :not(template)")) this.offsetHeight ? this.style.visibility = "hidden" : this.style.display = "none"; })
        .finally(() => clearTimeout(clock));
    }
    fill(slate) {
      const template = this.querySelector("template"), made = new Map();
      const tell = (name, items) => track(name, { endcap_token: slate.token, items });
      const seen = new IntersectionObserver((all) => {
        const items = [];
        for (const one of all) if (one.isIntersecting) { seen.unobserve(one.target); items.push({ item_id: made.get(one.target) }); }
        if (items.length) tell("view_item_list", items);
      }, { threshold: 0.5 });
      const nodes = slate.items.map((item) => {
        const node = template.content.firstElementChild.cloneNode(true);
        for (const part of [node, ...node.querySelectorAll("[data-bind]")])
          for (const rule of (part.dataset.bind || "").split(" ")) {
            const [to, field] = rule.split(":"), value = String(item.product[field || to] ?? "");
            if (!field) { if (to) part.textContent = value; }
            // Only addresses of pages and pictures: never javascript: or data:.
            else if (/^(href|src)$/.test(to) ? /^(https?:\/\/|\/)/.test(value) : /^(alt|title)$/.test(to)) part.setAttribute(to, value);
          }
        made.set(node, item.id);
        node.addEventListener("click", () => { tell("select_item", [{ item_id: item.id }]); flush(); });
        return node;
      });
      this.replaceChildren(template, ...nodes);
      nodes.forEach((node) => seen.observe(node));
    }
  });
})();
