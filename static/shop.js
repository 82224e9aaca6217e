// Comforts only: every page works without this file.
(() => {
  "use strict";
  const all = (selector) => document.querySelectorAll(selector);

  // Times in the visitor's own zone.
  const shapes = {
    time: { hour: "numeric", minute: "2-digit" },
    day: { month: "short", day: "numeric", hour: "numeric", minute: "2-digit" },
    date: { year: "numeric", month: "short", day: "numeric", hour: "numeric", minute: "2-digit" },
  };
  for (const time of all("time[data-local]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.title = time.textContent;
    time.textContent = at.toLocaleString(undefined, { ...shapes[time.dataset.local], timeZoneName: "short" });
  }

  // − and + beside the quantity.
  for (const step of all(".step")) {
    const input = document.getElementById(step.getAttribute("aria-controls"));
    step.hidden = false;
    step.addEventListener("click", () => {
      if (step.dataset.step > 0) input.stepUp();
      else input.stepDown();
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }

  // A form is sent once. The buttons wake up when the visitor comes back to the page.
  const rest = (form, busy) => {
    form.dataset.sent = busy ? "yes" : "";
    for (const button of form.querySelectorAll("button:not([type=button])")) {
      if (busy) button.setAttribute("aria-busy", "true");
      else button.removeAttribute("aria-busy");
    }
  };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent === "yes") event.preventDefault();
    else {
      rest(form, true);
      setTimeout(rest, 15000, form, false); // the visitor may have stopped it
    }
  });
  addEventListener("pageshow", () => { for (const form of all("form")) rest(form, false); });

  // How long the hold still runs, by the shop's clock.
  for (const box of all(".countdown")) {
    const shift = Date.now() - Number(box.dataset.now);
    const time = box.querySelector("time");
    const tick = () => {
      const left = Math.max(0, Math.ceil((Number(box.dataset.until) + shift - Date.now()) / 1000));
      time.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
      box.classList.toggle("last", left < 60);
      box.hidden = left === 0;
      if (left) setTimeout(tick, 1000 - ((Date.now() - shift) % 1000) || 1000);
    };
    tick();
  }

  // An undecided order's page looks again, and is loaded anew once something has changed.
  const watched = document.querySelector("[data-watch]");
  if (watched) {
    const { watch, state, reason } = watched.dataset;
    let pause = 2000;
    const look = async () => {
      try {
        const answer = await fetch(watch, { headers: { Accept: "application/json" } });
        if (answer.ok) {
          const now = await answer.json();
          if (now.state !== state || (now.reason ?? "") !== reason) return location.reload();
        }
      } catch { /* offline: the next look may succeed */ }
      pause = Math.min(pause * 1.3, 20000);
      setTimeout(look, pause);
    };
    setTimeout(look, pause);
  }
})();
