/* Takes new content when the server says that there is some, and leaves the reader where he is. */
const { events, content } = document.body.dataset;
const lost = document.querySelector(".lost"), place = document.querySelector("#content");
let shown = document.body.dataset.version, loading = false, wanted = shown;

const detailsKey = (part) => nameOf(part.closest(".group")) + "/" + part.querySelector("summary").textContent;
const sections = () => [...place.querySelectorAll(".group")];

function renew(text) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  const open = new Set([...place.querySelectorAll("details[open]")].map(detailsKey));
  const focused = document.activeElement?.type === "range" ? nameOf(document.activeElement.closest(".group")) : null;
  const anchor = sections().findLast((group) => group.getBoundingClientRect().top < innerHeight / 2);
  const at = anchor?.getBoundingClientRect().top, name = nameOf(anchor), top = scrollY;
  place.replaceChildren(...fresh.body.childNodes);
  for (const part of place.querySelectorAll("details")) if (open.has(detailsKey(part))) part.open = true;
  enhance();
  if (focused !== null) {
    const group = sections().find((group) => nameOf(group) === focused);
    group?.querySelector("input[type=range]")?.focus({ preventScroll: true });
  }
  const moved = anchor && sections().find((group) => nameOf(group) === name);
  if (moved) scrollBy(0, moved.getBoundingClientRect().top - at);
  else scrollTo(0, top);
}

async function load() {
  /* Not under the reader's finger. */
  if (loading || wanted === shown || document.querySelector("input:active")) return;
  loading = true;
  try {
    const answer = await fetch(content, { cache: "no-store" });
    if (answer.ok) {
      const version = answer.headers.get("x-version");
      renew(await answer.text());
      shown = document.body.dataset.version = version;
    }
  } catch { lost.hidden = false; }
  loading = false;
}

function listen() {
  const source = new EventSource(events);
  source.addEventListener("open", () => { lost.hidden = true; });
  source.addEventListener("version", (event) => { wanted = event.data; load(); });
  source.addEventListener("error", () => {
    lost.hidden = false;
    /* The browser tries again by itself, unless it was refused. */
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  });
}
listen();
setInterval(load, 1000);
