// The operator's first page as it is now: its part is asked for again every 5 s while one looks.
const part = document.getElementById("now");

const renew = async () => {
  if (document.hidden || part.contains(document.activeElement)) return;
  try {
    const answer = await fetch(part.dataset.address, { redirect: "manual" });
    if (answer.type === "opaqueredirect") return location.reload(); // signed out
    if (answer.ok) part.innerHTML = await answer.text();
    part.classList.toggle("stale", !answer.ok);
  } catch {
    part.classList.add("stale");
  }
};

setInterval(renew, 5000);
document.addEventListener("visibilitychange", renew);
