/* Points out one row in all figures of its group, shows figures under the pointer, draws layers at a chosen step, and
   offers the data as files. The page reads well without it. */
"use strict";
/* What the reader chose, by the name of the group: it outlives new content. */
const chosen = { rows: new Map(), steps: new Map() };
const nameOf = (group) => group?.querySelector("h2")?.textContent ?? "";

function pointing(group) {
  const parts = () => group.querySelectorAll("[data-row]");
  const items = [...group.querySelectorAll("li[data-row]")];
  const rowNamed = (name) => items.find((item) => item.textContent === name)?.dataset.row ?? null;
  const pinned = () => rowNamed(chosen.rows.get(nameOf(group)));
  const show = (row) => {
    group.classList.toggle("pointed", row !== null);
    for (const part of parts()) part.classList.toggle("on", part.dataset.row === row);
    for (const item of items) item.setAttribute("aria-pressed", item.dataset.row === pinned());
  };
  group.addEventListener("mouseover", (event) => show(event.target.closest("[data-row]")?.dataset.row ?? pinned()));
  group.addEventListener("mouseleave", () => show(pinned()));
  for (const item of items) {
    const pin = () => {
      const name = item.textContent;
      chosen.rows.set(nameOf(group), chosen.rows.get(nameOf(group)) === name ? null : name);
      show(pinned());
    };
    item.tabIndex = 0;
    item.setAttribute("role", "button");
    item.parentElement.setAttribute("role", "group");
    item.addEventListener("focus", () => show(item.dataset.row));
    item.addEventListener("blur", () => show(pinned()));
    item.addEventListener("click", pin);
    item.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      pin();
    });
  }
  show(pinned());
}

function saving(data) {
  const button = document.createElement("button");
  button.textContent = "Save as a file";
  button.addEventListener("click", () => {
    const link = document.createElement("a");
    link.download = data.dataset.file;
    link.href = URL.createObjectURL(new Blob([data.textContent], { type: "text/csv" }));
    link.click();
    URL.revokeObjectURL(link.href);
  });
  data.before(button);
}

/* Ten to a power, with three digits, beyond the range of numbers too. */
function power(log10) {
  if (Math.abs(log10) < 300) return (10 ** log10).toPrecision(3);
  const exponent = Math.floor(log10);
  return (10 ** (log10 - exponent)).toFixed(2) + "e" + exponent;
}
const list = (text) => (text ? text.split(" ").map(Number) : []);
/* The figures of a map of gradients at its record `i`: log10 of each layer, null where there is none. */
const layersOf = (map, i) => map.dataset.figures.split(";")[i].split(" ").map((v) => (v === "" ? null : Number(v)));
/* The map of the same network that holds the figures. */
const source = (map) => map.closest("figure").querySelector(`.map[data-figures][data-row="${map.dataset.row}"]`);
/* The factors between neighbouring layers, from those figures. */
const factors = (figures, numbers) => figures.slice(0, -1).map((figure, l) =>
  figure === null || figures[l + 1] === null ? null : (figure - figures[l + 1]) / (numbers[l + 1] - numbers[l]));

/* The layers of every network at the step that the slider is at. */
function sliding(part) {
  const figure = part.closest("figure"), group = part.closest(".group"), svg = part.querySelector("svg.chart");
  const slider = part.querySelector("input"), output = part.querySelector("output"), steps = list(part.dataset.steps);
  if (!svg) return;
  const [x0, px0, y0, py0, x1, px1, y1, py1] = list(svg.dataset.frame);
  const blank = svg.querySelector("polyline").cloneNode(false);
  const line = (map, run) => {
    const drawn = blank.cloneNode(false);
    const look = figure.querySelector(`li[data-row="${map.dataset.row}"] path`).getAttribute("class");
    drawn.setAttribute("class", look);
    drawn.setAttribute("points", run.map(([x, y]) =>
      `${px0 + (x - x0) / (x1 - x0) * (px1 - px0)},${py0 + (y - y0) / (y1 - y0) * (py1 - py0)}`).join(" "));
    Object.assign(drawn.dataset, { row: map.dataset.row, name: map.dataset.name, at: run.map(([x]) => x).join(" "),
      values: run.map(([, y]) => power(y)).join(" ") });
    svg.append(drawn);
  };
  const draw = () => {
    const step = steps[slider.value];
    for (const old of svg.querySelectorAll("[data-row]")) old.remove();
    for (const map of [...figure.querySelectorAll(".map[data-figures]")].reverse()) {
      const own = list(map.dataset.steps), ended = own.at(-1) < step || own.length === 0;
      const i = own.findLastIndex((recorded) => recorded <= step);
      for (const now of figure.querySelectorAll(`.map[data-row="${map.dataset.row}"] .now`)) {
        now.toggleAttribute("hidden", ended);
        now.setAttribute("x", i);
      }
      if (ended || i < 0) continue;
      const numbers = list(map.dataset.layers);
      let run = [];
      [...layersOf(map, i), null].forEach((y, l) => {
        if (y !== null) run.push([numbers[l], y]);
        else if (run.length > 0) { line(map, run); run = []; }
      });
    }
    output.textContent = step;
    slider.setAttribute("aria-valuetext", `step ${step}`);
  };
  for (const missing of figure.querySelectorAll(".cells .missing")) {
    const now = missing.cloneNode(false);
    now.setAttribute("class", "now");
    now.setAttribute("width", 1);
    missing.parentElement.append(now);
  }
  const before = chosen.steps.get(nameOf(group));
  if (before !== undefined) slider.value = Math.max(0, steps.findLastIndex((step) => step <= before));
  slider.addEventListener("input", () => {
    chosen.steps.set(nameOf(group), steps[slider.value]);
    draw();
  });
  part.querySelector(".slider").hidden = false;
  draw();
}

/* The figure under the pointer, in words, and where it is on the screen. */
function under(event) {
  const svg = event.target.closest?.("svg.chart");
  if (!svg) return null;
  const shown = svg.closest(".map");
  if (shown) {
    const map = source(shown), numbers = list(map.dataset.layers);
    const box = svg.querySelector(".missing").getBoundingClientRect(), steps = list(map.dataset.steps);
    const i = Math.floor((event.clientX - box.left) / box.width * steps.length);
    if (!(i in steps)) return null;
    const figures = layersOf(map, i), layers = "factors" in shown.dataset ? factors(figures, numbers) : figures, l = Math.floor((box.bottom - event.clientY) / box.height * layers.length);
    if (!(l in layers)) return null;
    const norm = layers[l] === null ? "zero or not finite" : power(layers[l]);
    return { text: `${map.dataset.name}\nstep ${steps[i]}, layer ${numbers[l]}: ${norm}`, x: event.clientX, y: event.clientY };
  }
  const place = svg.getScreenCTM();
  let best = null, least = 24;
  for (const run of svg.querySelectorAll("[data-values]")) {
    const points = run.points ?? [{ x: run.cx.baseVal.value, y: run.cy.baseVal.value }];
    for (let i = 0; i < points.length; i++) {
      const x = points[i].x * place.a + place.e, y = points[i].y * place.d + place.f;
      const away = Math.hypot(x - event.clientX, y - event.clientY);
      if (away < least) [least, best] = [away, { run, i, x, y }];
    }
  }
  if (best) {
    const { run, i, x, y } = best, axis = (run.dataset.x ?? svg.dataset.x).split(",")[0];
    const [at, value] = [run.dataset.at, run.dataset.values].map((all) => all.split(" ")[i]);
    return { text: `${run.dataset.name ?? ""}\n${axis} ${at}: ${value}`, x, y, exact: true };
  }
  const named = event.target.closest("[data-name]");
  return named && svg.contains(named) ? { text: named.dataset.name, x: event.clientX, y: event.clientY } : null;
}

const tip = Object.assign(document.createElement("div"), { className: "tip", hidden: true });
const spot = Object.assign(document.createElement("div"), { className: "spot", hidden: true });
document.body.append(tip, spot);
function tell(event) {
  const found = under(event);
  tip.hidden = !found;
  spot.hidden = !found?.exact;
  if (!found) return;
  tip.textContent = found.text;
  const right = Math.min(found.x + 14, document.documentElement.clientWidth - tip.offsetWidth - 8);
  const above = found.y - tip.offsetHeight - 12;
  tip.style.left = `${Math.max(8, right)}px`;
  tip.style.top = `${above > 4 ? above : found.y + 16}px`;
  spot.style.left = `${found.x}px`;
  spot.style.top = `${found.y}px`;
}
for (const kind of ["pointermove", "pointerdown"]) document.addEventListener(kind, tell);
document.addEventListener("scroll", () => { tip.hidden = spot.hidden = true; }, { passive: true });

/* Makes what is on the page respond; again after its content is new. */
function enhance() {
  for (const title of document.querySelectorAll("svg.chart title")) {
    title.parentElement.dataset.name = title.textContent;
    title.remove();
  }
  for (const part of document.querySelectorAll(".at-step")) sliding(part);
  for (const group of document.querySelectorAll(".group")) pointing(group);
  for (const data of document.querySelectorAll("pre[data-file]")) saving(data);
}
enhance();
