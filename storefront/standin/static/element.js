/* The inside of the Payment Element's frame. Hears only the page that it was opened for. */
(() => {
  "use strict";

  const HOST = new URLSearchParams(window.location.search).get("host");
  const form = document.getElementById("element");
  const problem = document.getElementById("problem");
  const delay = form.elements.delay_seconds;
  const VARIABLES = {
    colorPrimary: "--accent",
    colorBackground: "--card",
    colorText: "--ink",
    colorTextSecondary: "--soft",
    colorDanger: "--bad",
    borderRadius: "--radius",
    fontFamily: "--font",
    fontSizeBase: "--size",
  };
  let setup = null; // key, intent and options, from the page

  const tell = (message) => window.parent.postMessage({ standin: "element", ...message }, HOST);
  const choice = () => form.querySelector('input[name="choice"]:checked:enabled');
  const delayed = () => delay.checkValidity() && delay.value.trim() !== "";

  function state() {
    const chosen = choice();
    return {
      empty: !chosen,
      complete: Boolean(chosen) && delayed(),
      collapsed: false,
      value: { type: chosen?.dataset.type ?? "card" },
    };
  }

  /** What is wrong with the form, shown to the shopper too, or null. */
  function mistake() {
    let message = "";
    if (!choice()) message = "Please choose how to pay.";
    else if (!delayed()) message = "Please enter a number of seconds, from 0 to a week.";
    problem.textContent = message;
    problem.hidden = !message;
    if (delayed()) delay.removeAttribute("aria-invalid");
    else delay.setAttribute("aria-invalid", "true");
    if (!message) return null;
    if (choice()) delay.closest("details").open = true;
    return { type: "validation_error", code: "incomplete_payment_details", message };
  }

  function look(appearance) {
    const root = document.documentElement;
    root.dataset.theme = appearance.theme === "night" ? "night" : "stripe";
    for (const [name, property] of Object.entries(VARIABLES)) {
      const value = appearance.variables?.[name];
      if (value) root.style.setProperty(property, value);
      else root.style.removeProperty(property);
    }
  }

  /** Offers what the intent allows, and of that chooses the first when nothing is chosen. */
  function offer(intent) {
    setup.intent = intent;
    for (const input of form.querySelectorAll('input[name="choice"]')) {
      const allowed = intent.payment_method_types.includes(input.dataset.type);
      input.disabled = !allowed || Boolean(setup.options.readOnly);
      input.closest(".choice").hidden = !allowed;
    }
    if (!choice()) {
      const first = form.querySelector('input[name="choice"]:enabled');
      if (first) first.checked = true;
    }
  }

  function flattened(value, name = "", into = new URLSearchParams()) {
    if (value === null || value === undefined) return into;
    if (typeof value !== "object") into.append(name, String(value));
    else {
      for (const [key, part] of Object.entries(value)) {
        flattened(part, name ? `${name}[${key}]` : key, into);
      }
    }
    return into;
  }

  /** The parameters of the confirmation: the page's own, and what the shopper chose. */
  function parameters(params) {
    const { type, fields } = choice().dataset;
    const defaults = setup.options.defaultValues?.billingDetails ?? {};
    const given = params.payment_method_data ?? {};
    return {
      ...params,
      key: setup.key,
      client_secret: setup.intent.client_secret,
      payment_method_data: {
        ...given,
        type,
        [type]: JSON.parse(fields),
        billing_details: { ...defaults, ...given.billing_details },
      },
      standin: { webhooks: form.elements.webhooks.value, delay_seconds: delay.value.trim() },
    };
  }

  async function confirm(params) {
    const error = mistake();
    if (error) return { error };
    try {
      const response = await fetch(`/v1/payment_intents/${setup.intent.id}/confirm`, {
        method: "POST",
        body: flattened(parameters(params)),
      });
      const answer = await response.json();
      return answer.error ? { error: answer.error } : { paymentIntent: answer };
    } catch {
      const message = "We are experiencing issues connecting to our payments provider. Please try again.";
      return { error: { type: "api_connection_error", message } };
    }
  }

  async function answer(message) {
    if (message.type === "confirm") return confirm(message.params ?? {});
    const error = mistake();
    return error ? { error } : { selectedPaymentMethod: choice().dataset.type };
  }

  async function heard(message) {
    if (message.type === "setup") {
      setup = { key: message.key, options: message.options ?? {} };
      look(message.appearance ?? {});
      offer(message.intent);
      document.body.hidden = false;
      measure(); // before it is ready, so that the page does not jump
      tell({ type: "ready" });
      tell({ type: "change", ...state() });
    } else if (setup === null) return;
    else if (message.type === "confirm" || message.type === "submit") {
      tell({ type: "answer", call: message.call, result: await answer(message) });
    } else if (message.type === "intent") offer(message.intent);
    else if (message.type === "appearance") look(message.appearance ?? {});
    else if (message.type === "options") {
      setup.options = message.options;
      offer(setup.intent);
    } else if (message.type === "focus") (choice() ?? form.querySelector("input:enabled"))?.focus();
    else if (message.type === "blur") document.activeElement?.blur();
    else if (message.type === "clear") {
      form.reset();
      tell({ type: "change", ...state() });
    }
  }

  function measure() {
    tell({ type: "height", height: Math.ceil(document.body.getBoundingClientRect().height) });
  }

  window.addEventListener("message", (event) => {
    if (event.source !== window.parent || event.origin !== HOST) return;
    if (event.data?.standin === "page") heard(event.data);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    if (!problem.hidden || delay.hasAttribute("aria-invalid")) mistake();
    tell({ type: "change", ...state() });
  });
  form.addEventListener("focusin", () => tell({ type: "focus" }));
  form.addEventListener("focusout", (event) => {
    if (!event.relatedTarget) tell({ type: "blur" });
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") tell({ type: "escape" });
  });
  new ResizeObserver(measure).observe(document.body);
  tell({ type: "loaded" });
})();
