// The stock as it changes. Every word stands in #stock-words.
const { content, dataset: page } = document.getElementById("stock-words");
const say = (part, word, n, time) => {
  const { textContent } = content.querySelector(`[data-of="${word}"]`);
  const text = textContent.replace("{n}", n).replace("{time}", time);
  if (part.textContent !== text) part.textContent = text;
  return text;
};
const states = ["available", "low", "held", "soon", "sold_out"]; // the most hopeful first
const stock = {}, returns = {};
let stream, waiting, opening;

// By the shop's clock, not the visitor's.
const began = page.now - performance.getEntriesByType("navigation")[0].responseStart;
const opensIn = (sku) => Date.parse(stock[sku].opens_at) - began - performance.now();
const rank = (sku) => {
  const { available, held } = stock[sku];
  return opensIn(sku) > 0 ? 3 : available > page.low ? 0 : available ? 1 : held ? 2 : 4;
};

const show = {
  badge(part, state, left, skus, news) {
    if (left && left < part.dataset.want) state = "low";
    const text = say(part, `badge ${state}`, left, shop.local(stock[skus[0]].opens_at, "day"));
    const name = `badge ${state.replace("_", "-")}`;
    if (part.className !== name) news.push(`${part.dataset.name}: ${text}`);
    part.className = name;
  },
  left(part, state, left) { part.textContent = left; },
  note(part, state, left) { say(part, `note ${state}`, left); },
  choices(part, state) {
    for (const one of part.querySelectorAll("input")) {
      one.disabled = state !== "sold_out" && stock[one.value] && rank(one.value) === 4;
      if (one.disabled) one.checked = false;
    }
  },
  quantity(part) {
    const { value } = part.form.elements.sku; // also of radios
    part.max = Math.min(stock[value]?.available || Infinity, part.dataset.limit);
  },
  buy(part, state) {
    say(part, `buy ${state}`);
    show.add(part, state);
  },
  add(part, state) { part.disabled = states.indexOf(state) > 2; },
  return(part, state, left, skus) {
    const [first] = skus.map((sku) => returns[sku]).sort();
    say(part, first ? "return known" : "return", 0, shop.local(first, "time"));
  },
  // While some SKU is in such a state, and one types in it.
  when(part, state, left, skus, news) {
    const { when, said } = part.dataset;
    const on = skus.some((sku) => when.includes(states[rank(sku)]));
    const hide = !on && !part.contains(document.activeElement);
    if (said && part.hidden > hide) news.push(said);
    part.hidden = part.disabled = hide;
    if (hide) part.selected = false; // another option is
    else if (part.parentNode.selectedIndex < 0) part.selected = true;
  },
};

const draw = () => {
  const news = [];
  for (const part of document.querySelectorAll("[data-part]")) {
    const skus = part.dataset.stock.split(" ").filter((sku) => stock[sku]);
    if (!skus.length) continue;
    const left = skus.reduce((sum, sku) => sum + stock[sku].available, 0);
    show[part.dataset.part](part, states[Math.min(...skus.map(rank))], left, skus, news);
  }
  if (news.length) document.getElementById("stock-said").textContent = news.join(". ");
  clearTimeout(opening);
  const next = Math.min(...Object.keys(stock).map(opensIn).filter((ms) => ms > 0));
  if (next < 1e9) opening = setTimeout(draw, next + 9);
};

const take = async (levels) => {
  const shelf = document.querySelector("main > .shelf");
  const isNew = (sku) => !stock[sku] && !document.querySelector(`[data-stock~="${sku}"]`);
  const lacking = shelf && Object.keys(levels).some(isNew);
  Object.assign(stock, levels);
  draw();
  if (!lacking) return;
  const text = await (await fetch(location)).text();
  shelf.innerHTML = new DOMParser().parseFromString(text, "text/html").querySelector(".shelf").innerHTML;
  shop.localise(shelf);
  draw();
};

// A stream, or without one a look every few seconds.
const later = (what) => { waiting = setTimeout(what, 3000 + 5000 * Math.random()); };
const ask = async () => {
  try { await take(await (await fetch(page.once)).json()); } catch { /* offline */ }
  later(Math.random() < 0.9 ? ask : listen);
};
const listen = () => {
  if (document.hidden) return; // a browser has six connections for all pages of a shop
  stream = new EventSource(page.live);
  stream.addEventListener("stock", (event) => take(JSON.parse(event.data)).catch(() => {}));
  stream.addEventListener("returns", (event) => {
    Object.assign(returns, JSON.parse(event.data));
    draw();
  });
  stream.onerror = () => { if (stream.readyState === 2) later(ask); };
};
addEventListener("change", draw);
document.addEventListener("visibilitychange", () => {
  stream?.close();
  clearTimeout(waiting);
  listen();
});
listen();
