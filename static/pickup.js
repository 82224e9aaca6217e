// Scan pick-up codes with the camera, one after the other; without it a scanner types into the field.
const form = document.getElementById("scan");
const button = document.getElementById("camera");
const view = document.getElementById("view");
const said = document.getElementById("camera-said");
const REST_MS = 3000; // a code counts again only after it was out of sight for so long
const LOOK_MS = 150;
let stream = null;
let last = { text: "", seen: 0 };

// The page that answers is put in this one's place, so that the camera stays on.
const send = async (text) => {
  const body = new URLSearchParams(new FormData(form));
  body.set("code", text);
  try {
    const page = await fetch(form.action, { method: "POST", body });
    const answer = new DOMParser().parseFromString(await page.text(), "text/html");
    const now = answer.getElementById("answer");
    if (!now) return location.assign(page.url); // signed out, or too many at once
    document.getElementById("answer").innerHTML = now.innerHTML;
    for (const name of ["key", "csrf_token"]) {
      form.elements[name].value = answer.getElementById("scan").elements[name].value;
    }
    document.querySelector("h1:not(#answer *)")?.remove();
    window.shop?.localise(document.getElementById("answer"));
    navigator.vibrate?.(page.ok ? 80 : [80, 80, 80]);
    said.textContent = "";
  } catch {
    // The same form is sent again, and counts once.
    last.text = "";
    said.textContent = "The shop did not answer. Hold the code before the camera again.";
  }
};

const stop = () => {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
  view.hidden = true;
  button.setAttribute("aria-pressed", "false");
};

const look = async (detector) => {
  if (!stream) return;
  const codes = await detector.detect(view).catch(() => []);
  const text = codes.map((code) => code.rawValue).find((one) => one.includes(form.dataset.begins));
  const fresh = text && (text !== last.text || Date.now() - last.seen > REST_MS);
  if (text) last = { text, seen: Date.now() };
  if (fresh) await send(text);
  setTimeout(look, LOOK_MS, detector);
};

const start = async (detector) => {
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch {
    said.textContent = "The camera cannot be used here. Type the code, or use a scanner.";
    return;
  }
  view.srcObject = stream;
  view.hidden = false;
  button.setAttribute("aria-pressed", "true");
  view.play().catch(() => {}); // until it plays, nothing is seen
  look(detector);
};

const formats = (await window.BarcodeDetector?.getSupportedFormats?.()) ?? [];
if (formats.includes("qr_code") && navigator.mediaDevices) {
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  button.hidden = false;
  button.addEventListener("click", () => (stream ? stop() : start(detector)));
}
