// The payment page: Stripe's fields in our form.
const form = document.getElementById("payment");
const { clientSecret, key, back, locale, until, now, unreachable, failed } = form.dataset;
document.getElementById("without-scripts").remove();
const message = document.getElementById("payment-message");
const button = form.querySelector("button");
const say = (text) => { message.textContent = text; message.hidden = !text; };
const AGAIN = "requires_payment_method";
const rest = (busy) => { button.disabled = button.ariaBusy = busy; };

const colour = (name) => getComputedStyle(form).getPropertyValue(name).trim();
const stripe = window.Stripe?.(key, { locale });
const elements = stripe?.elements({
  clientSecret,
  appearance: {
    theme: matchMedia("(prefers-color-scheme: dark)").matches ? "night" : "stripe",
    variables: {
      colorPrimary: colour("--red"),
      colorBackground: colour("--card"),
      colorText: colour("--ink"),
      colorDanger: colour("--bad"),
      borderRadius: "6px",
    },
  },
});
const fields = elements?.create("payment", { fields: { billingDetails: { email: "never" } } });
fields?.on("ready", () => rest(false));
fields?.on("loaderror", () => say(unreachable));
fields?.mount("#payment-fields");
if (!stripe) say(unreachable);

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  rest(true);
  say("");
  const email = form.elements.email.value;
  try {
    const { error } = await stripe.confirmPayment({
      elements,
      confirmParams: {
        return_url: back,
        receipt_email: email,
        payment_method_data: { billing_details: { email } },
      },
    });
    // Only what went wrong comes back: else the browser is on its way to the order's page.
    if ((error.payment_intent?.status ?? AGAIN) === AGAIN) {
      say(error.message || failed);
      return rest(false);
    }
  } catch { /* Unknown is not failed: the order's page asks Stripe. */ }
  location.assign(back);
});

// When the hold is over there is nothing to pay any more: the order's page says how it stands.
setTimeout(() => location.assign(back), until - now + 500);
