// Says which recommended products came into view. The shop works without it.
const waiting = new Map();
let timer = 0;
function send() {
  timer = 0;
  for (const [shelf, products] of waiting) {
    const body = new URLSearchParams({
      token: shelf.dataset.token, placement: shelf.dataset.placement, products: [...products].join(" "),
    });
    fetch("/demo-shop/seen", { method: "POST", body, keepalive: true }).catch(() => undefined);
  }
  waiting.clear();
}
const watch = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    const shelf = entry.target.closest("[data-token]");
    watch.unobserve(entry.target);
    if (!waiting.has(shelf)) waiting.set(shelf, new Set());
    waiting.get(shelf).add(entry.target.dataset.product);
  }
  if (waiting.size && !timer) timer = setTimeout(send, 400);
}, { threshold: 0.5 });
for (const item of document.querySelectorAll("[data-token] [data-product]")) watch.observe(item);
document.addEventListener("visibilitychange", () => { if (document.hidden) send(); });
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) {
    event.preventDefault();
    document.querySelector("[data-search]").focus();
  }
});
