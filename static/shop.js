// Comforts: pages work without.
const all = (selector) => document.querySelectorAll(selector);

// Times in the visitor's own zone, in the page's language.
const { lang } = document.documentElement;
const tongue = navigator.languages.find((one) => one.startsWith(lang)) ?? lang;
const time = { hour: "numeric", minute: "2-digit", timeZoneName: "short" };
const day = { month: "short", day: "numeric", ...time };
const shapes = { time, day, date: { year: "numeric", ...day } };
const local = (when, shape) => new Date(when).toLocaleString(tongue, shapes[shape]);
const localise = (root) => {
  for (const time of root.querySelectorAll("[data-local]")) {
    time.title = time.textContent;
    time.textContent = local(time.dateTime, time.dataset.local);
  }
};
localise(document);
window.shop = { local, localise };

// − and + beside the quantity.
for (const step of all(".step")) {
  const input = step.parentNode.querySelector("input");
  step.hidden = false;
  step.addEventListener("click", () => {
    input.stepUp(step.dataset.step);
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

// A form is sent once, until the visitor comes back to the page.
const rest = (form, busy) => {
  form.dataset.sent = busy || "";
  for (const button of form.querySelectorAll("button:not([type=button])")) {
    button.ariaBusy = busy;
  }
};
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) event.preventDefault();
  else {
    rest(form, true);
    setTimeout(rest, 15000, form, false); // the visitor may have stopped it
  }
});
addEventListener("pageshow", () => { for (const form of all("form")) rest(form, false); });

// How long the hold still runs, by the shop's clock.
const said = document.getElementById("time-left");
for (const box of all(".countdown")) {
  const end = Date.now() + (box.dataset.until - box.dataset.now);
  const time = box.querySelector("time");
  let told = "";
  const tick = () => {
    const ms = Math.max(0, end - Date.now()), left = Math.ceil(ms / 1000);
    const clock = new Date(left * 1000).toISOString().slice(14, 19);
    time.textContent = left < 3600 ? clock.replace(/^0/, "") : `${left / 3600 | 0}:${clock}`;
    box.classList.toggle("last", left < 60);
    box.hidden = !left;
    const words = left > 300 ? "" : said.dataset[left > 60 ? "five" : "one"];
    if (told !== words) said.textContent = told = words;
    if (left) setTimeout(tick, ms % 1000 + 1);
  };
  tick();
}

// An undecided order's page is loaded anew once it has changed.
const watched = document.querySelector("[data-watch]");
if (watched) {
  const { watch, state, reason } = watched.dataset;
  let pause = 2000;
  const look = async () => {
    try {
      const answer = await fetch(watch);
      if (answer.ok) {
        const now = await answer.json();
        if (now.state !== state || (now.reason ?? "") !== reason) return location.reload();
      }
    } catch { /* offline: the next look may succeed */ }
    pause = Math.min(pause * 1.3, 2e4);
    setTimeout(look, pause);
  };
  setTimeout(look, pause);
}
