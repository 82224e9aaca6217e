/* A small Stripe.js: what a page with the Payment Element needs, over the stand-in's own API.
 *
 * The contract is that of https://docs.stripe.com/js. Everything is reached at the origin that this
 * script came from: the API by fetch (connect-src), the element in a frame of its own (frame-src).
 * The means of payment never leaves that frame; it confirms the payment itself. */
(() => {
  "use strict";

  const ORIGIN = new URL(document.currentScript.src).origin;
  const LOAD_MS = 10_000;
  const WORDS = { succeeded: "succeeded", requires_capture: "succeeded", processing: "pending" };
  const OVER =
    "This PaymentIntent is in a terminal state and cannot be used to initialize Elements. Avoid " +
    "rendering Elements in this state, or create a new PaymentIntent if intending to collect new " +
    "payment details.";
  const groups = new WeakMap(); // what is behind the object that elements() gave

  class IntegrationError extends Error {
    name = "IntegrationError";
  }

  function demand(condition, message) {
    if (!condition) throw new IntegrationError(message);
  }

  function idOf(clientSecret, where) {
    const [, id] = /^(pi_\w+?)_secret_\w+$/.exec(clientSecret) ?? [];
    demand(
      id,
      `Invalid value for ${where}: value should be a client secret of the form ` +
        "${id}_secret_${secret}.",
    );
    return id;
  }

  /** One question to the API: the object, or Stripe's error. Never throws. */
  async function call(key, path) {
    try {
      const response = await fetch(`${ORIGIN}/v1/${path}`, {
        headers: { Authorization: `Bearer ${key}` },
      });
      const answer = await response.json();
      return answer.error ? { error: answer.error } : { paymentIntent: answer };
    } catch {
      const message = "We are experiencing issues connecting to our payments provider. Please try again.";
      return { error: { type: "api_connection_error", message } };
    }
  }

  function retrieve(key, clientSecret, where) {
    const id = idOf(clientSecret, where);
    const query = new URLSearchParams({ client_secret: clientSecret });
    return call(key, `payment_intents/${id}?${query}`);
  }

  /** Leaves the page; the promise that a caller waits for stays open until it is gone. */
  function leave(address) {
    window.location.assign(address);
    return new Promise(() => {});
  }

  /** What follows a confirmation: the bank's page, the page of return_url, or the intent. */
  function proceed(result, returnUrl) {
    const intent = result.paymentIntent;
    if (result.error) return result;
    const action = intent.next_action;
    if (intent.status === "requires_action" && action?.type === "redirect_to_url") {
      return leave(action.redirect_to_url.url);
    }
    if (!returnUrl) return result;
    const back = new URL(returnUrl);
    back.searchParams.append("payment_intent", intent.id);
    back.searchParams.append("payment_intent_client_secret", intent.client_secret);
    back.searchParams.append("redirect_status", WORDS[intent.status] ?? "failed");
    return leave(back.href);
  }

  /** The Payment Element: a frame of the stand-in's, and the messages to and from it. */
  class PaymentElement {
    #group;
    #options;
    #listeners = [];
    #frame = null;
    #container = null;
    #ready = null;
    #calls = new Map();
    #destroyed = false;
    #hear = (event) => this.#heard(event);

    constructor(group, options) {
      this.#group = group;
      this.#options = options;
    }

    mount(target) {
      demand(!this.#destroyed, "This Element has already been destroyed. Please create a new one.");
      const container = typeof target === "string" ? document.querySelector(target) : target;
      demand(
        container instanceof Element,
        `The selector you specified (${target}) applies to no DOM elements that are currently on ` +
          "the page. Make sure the element exists on the page before calling mount().",
      );
      if (container === this.#container) return;
      this.unmount();
      this.#container = container;
      container.classList.add("StripeElement");
      this.#frame = document.createElement("iframe");
      const host = encodeURIComponent(window.location.origin);
      this.#frame.src = `${ORIGIN}/v3/elements/payment?host=${host}`;
      this.#frame.title = "Secure payment input frame";
      for (const [name, value] of [["border", "0"], ["width", "100%"], ["display", "block"]]) {
        this.#frame.style.setProperty(name, value);
      }
      window.addEventListener("message", this.#hear);
      container.replaceChildren(this.#frame);
      this.#ready = this.#load(this.#frame);
    }

    unmount() {
      window.removeEventListener("message", this.#hear);
      for (const { reject } of this.#calls.values()) {
        reject(new IntegrationError("The Payment Element was unmounted."));
      }
      this.#calls.clear();
      this.#frame?.remove();
      this.#container?.classList.remove("StripeElement", "StripeElement--focus");
      this.#frame = this.#container = this.#ready = null;
    }

    destroy() {
      this.unmount();
      this.#destroyed = true;
      this.#group.element = null;
    }

    on(type, handler, once = false) {
      this.#listeners.push({ type, handler, once });
      return this;
    }

    once(type, handler) {
      return this.on(type, handler, true);
    }

    off(type, handler) {
      this.#listeners = this.#listeners.filter(
        (kept) => kept.type !== type || (handler && kept.handler !== handler),
      );
      return this;
    }

    update(options) {
      this.#options = { ...this.#options, ...options };
      this.tell({ type: "options", options: this.#options });
      return this;
    }

    focus() {
      this.tell({ type: "focus" });
    }

    blur() {
      this.tell({ type: "blur" });
    }

    clear() {
      this.tell({ type: "clear" });
    }

    collapse() {
      return this;
    }

    /** Says something to the frame, and to nobody who may stand in its place. */
    tell(message) {
      this.#frame?.contentWindow.postMessage({ standin: "page", ...message }, ORIGIN);
    }

    /** Asks the frame once it is ready; rejects when the element is not on the page. */
    async ask(message) {
      demand(
        this.#ready && (await this.#ready),
        "elements should have a mounted Payment Element that is ready.",
      );
      const { promise, resolve, reject } = deferred();
      const call = crypto.getRandomValues(new Uint32Array(2)).join("-");
      this.#calls.set(call, { resolve, reject });
      this.tell({ ...message, call });
      return promise;
    }

    /** Fills the frame; whether it is ready. */
    async #load(frame) {
      this.#emit("loaderstart", {});
      const { promise, resolve } = deferred();
      this.#calls.set("loaded", { resolve, reject: resolve });
      frame.addEventListener("load", () => setTimeout(resolve, LOAD_MS, "late"), { once: true });
      const [found, came] = await Promise.all([this.#group.load(), promise]);
      if (frame !== this.#frame) return false; // unmounted meanwhile
      let error = found.error;
      if (came === "late") {
        error ??= { type: "api_connection_error", message: "The payment form could not be loaded." };
      } else if (["succeeded", "canceled"].includes(found.paymentIntent?.status)) {
        error ??= { type: "invalid_request_error", message: OVER, payment_intent: found.paymentIntent };
      }
      if (error) {
        this.#emit("loaderror", { error });
        return false;
      }
      const drawn = deferred();
      this.#calls.set("ready", { resolve: drawn.resolve, reject: drawn.resolve });
      const { key, options } = this.#group;
      const appearance = options.appearance ?? {};
      this.tell({ type: "setup", key, appearance, intent: found.paymentIntent, options: this.#options });
      await drawn.promise;
      if (frame !== this.#frame) return false;
      this.#emit("ready", {});
      return true;
    }

    #heard(event) {
      if (event.origin !== ORIGIN || event.source !== this.#frame?.contentWindow) return;
      const { standin, type, ...rest } = event.data ?? {};
      if (standin !== "element") return;
      if (type === "loaded" || type === "ready") this.#answer(type, rest);
      else if (type === "answer") this.#answer(rest.call, rest.result);
      else if (type === "height") this.#frame.style.setProperty("height", `${Number(rest.height)}px`);
      else if (["change", "focus", "blur", "escape"].includes(type)) {
        const focused = type === "focus" || (type !== "blur" && document.activeElement === this.#frame);
        this.#container.classList.toggle("StripeElement--focus", focused);
        this.#emit(type, rest);
      }
    }

    #answer(call, result) {
      this.#calls.get(call)?.resolve(result);
      this.#calls.delete(call);
    }

    #emit(type, event) {
      for (const listener of [...this.#listeners]) {
        if (listener.type !== type) continue;
        if (listener.once) this.off(type, listener.handler);
        queueMicrotask(() => listener.handler({ elementType: "payment", ...event }));
      }
    }
  }

  function deferred() {
    const parts = {};
    parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
    return parts;
  }

  /** The object that stripe.elements() gives. */
  function elementsFor(key, options) {
    demand(
      typeof options.clientSecret === "string",
      "elements() needs a clientSecret: the stand-in does not model Elements without an Intent.",
    );
    idOf(options.clientSecret, "elements(): clientSecret");
    const handlers = [];
    const where = "elements(): clientSecret";
    const group = { key, options: { ...options }, element: null };
    group.load = () => retrieve(key, group.options.clientSecret, where);
    const elements = {
      create(type, elementOptions = {}) {
        demand(type === "payment", `The Stripe stand-in does not model the element \`${type}\`.`);
        demand(!group.element, "Can only create one Element of type payment.");
        group.element = new PaymentElement(group, elementOptions);
        return group.element;
      },
      getElement: (type) => (type === "payment" ? group.element : null),
      async submit() {
        demand(group.element, "elements.submit() needs a mounted Payment Element.");
        return group.element.ask({ type: "submit" });
      },
      async update(changes) {
        demand(!("clientSecret" in changes), "elements.update(): clientSecret cannot be updated.");
        Object.assign(group.options, changes);
        group.element?.tell({ type: "appearance", appearance: group.options.appearance ?? {} });
        for (const handler of handlers) queueMicrotask(handler);
      },
      async fetchUpdates() {
        const { error, paymentIntent } = await group.load();
        if (error) return { error: { message: error.message, status: error.code } };
        group.element?.tell({ type: "intent", intent: paymentIntent });
        return {};
      },
      on(type, handler) {
        if (type === "update-end") handlers.push(handler);
        return elements;
      },
    };
    groups.set(elements, group);
    return elements;
  }

  function Stripe(key) {
    demand(typeof key === "string" && key, "Please call Stripe() with your publishable key.");
    demand(!/^[sr]k_/.test(key), "You should not use your secret key with Stripe.js.");

    async function confirmPayment({ elements, confirmParams = {}, redirect = "always" }) {
      demand(["always", "if_required"].includes(redirect), "redirect must be `always` or `if_required`.");
      const returnUrl = confirmParams.return_url;
      demand(
        returnUrl ? URL.canParse(returnUrl) : redirect === "if_required",
        "stripe.confirmPayment(): confirmParams.return_url must be an absolute address.",
      );
      const group = groups.get(elements);
      demand(group?.element, "elements should have a mounted Payment Element.");
      const result = await group.element.ask({ type: "confirm", params: confirmParams });
      return proceed(result, redirect === "always" ? returnUrl : null);
    }

    return {
      elements: (options = {}) => elementsFor(key, options),
      confirmPayment,
      retrievePaymentIntent: async (clientSecret) =>
        retrieve(key, clientSecret, "stripe.retrievePaymentIntent"),
      async handleNextAction({ clientSecret }) {
        const found = await retrieve(key, clientSecret, "stripe.handleNextAction");
        if (found.error || found.paymentIntent.status === "requires_action") return proceed(found);
        const message = "handleNextAction: The PaymentIntent supplied is not in the requires_action state.";
        return { error: { type: "invalid_request_error", message, payment_intent: found.paymentIntent } };
      },
      registerAppInfo() {},
    };
  }

  window.Stripe = Stripe;
})();
