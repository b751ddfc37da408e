/* What pages.py asks of a page, evaluated in it: figures, data, text and its contrast, what a keyboard must reach. */
const look = (() => {
  const shown = (part) => part.checkVisibility({ visibilityProperty: true, opacityProperty: false });
  const text = (part) => part?.textContent.trim() ?? "";
  /* Elements that stand for data. */
  const MARKS = "[data-values], .cells path, .bar, .dot, polyline.series, path.series:not(.swatch *)";

  /* Red, green, blue of 0 to 255 and alpha of what the style sheet computes. */
  function colour(css) {
    const parts = css.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
    const [r, g, b, a = 1] = css.startsWith("color(srgb") ? [...parts.slice(0, 3).map((v) => 255 * v), ...parts.slice(3)] : parts;
    return [r, g, b, a];
  }
  const over = ([r, g, b, a], under) => [r, g, b].map((v, i) => a * v + (1 - a) * under[i]);
  /* Relative luminance and contrast: W3C, Web Content Accessibility Guidelines 2.2. */
  const luminance = (rgb) => rgb
    .map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  function contrast(a, b) {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  }
  function background(part) {
    const layers = [];
    for (let at = part; at; at = at.parentElement) {
      const found = colour(getComputedStyle(at).backgroundColor);
      if (found[3] > 0) layers.push(found);
      if (found[3] === 1) break;
    }
    return layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255]);
  }

  return {
    figures: () => [...document.querySelectorAll("figure")].map((figure) => ({
      title: text(figure.querySelector("h3")),
      caption: text(figure.querySelector("figcaption")),
      svgs: figure.querySelectorAll("svg.chart").length,
      unnamed: [...figure.querySelectorAll("svg:not([aria-hidden]):not(svg svg)")]
        .filter((svg) => svg.getAttribute("role") !== "img" || !svg.getAttribute("aria-label")).length,
      empty: [...figure.querySelectorAll("svg.chart")].filter((svg) => !svg.querySelector(MARKS)).map((svg) => svg.ariaLabel),
      files: [...figure.querySelectorAll("pre[data-file]")].map((pre) => ({ name: pre.dataset.file, text: pre.textContent })),
      saved: figure.querySelectorAll("pre[data-file]").length === figure.querySelectorAll(".data button").length,
    })),

    charts: (index) => document.querySelectorAll("figure")[index].querySelectorAll("svg.chart").length,

    /* A point of a chart with data under it, scrolled into view: the middle of its middle run. */
    target: (index, chart) => {
      const svg = document.querySelectorAll("figure")[index].querySelectorAll("svg.chart")[chart];
      svg.closest("details")?.setAttribute("open", "");
      svg.scrollIntoView({ block: "center" });
      const runs = [...svg.querySelectorAll("[data-values]")], run = runs[runs.length >> 1];
      if (run) {
        const points = run.points ?? [{ x: run.cx.baseVal.value, y: run.cy.baseVal.value }];
        const point = points[points.length >> 1], at = run.getScreenCTM();
        return { x: point.x * at.a + at.e, y: point.y * at.d + at.f, exact: true };
      }
      const parts = [...svg.querySelectorAll(".cells, .bar, rect[fill^=url]")];
      const box = parts.map((part) => part.getBoundingClientRect()).find((box) => box.width > 0 && box.height > 0);
      return { x: box.x + box.width * 0.4, y: box.y + box.height / 2, exact: false };
    },

    headings: () => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].filter(shown).map((h) => Number(h.tagName[1])),

    /* Everything that a pointer can use. */
    reachable: () => {
      const all = [...document.querySelectorAll("a[href], button, input, select, summary, [role=button], [tabindex]")];
      all.forEach((part, i) => { part.dataset.reach = i; });
      return all.filter((part) => shown(part) && part.tabIndex >= 0).map((part) => part.dataset.reach);
    },
    focused: () => document.activeElement?.dataset?.reach ?? null,
    outline: () => getComputedStyle(document.activeElement).outlineStyle,

    /* Texts that are hard to read: below 4.5, or 3 where letters are large. */
    faint: () => {
      const found = new Map();
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) {
        const node = walker.currentNode, part = node.parentElement;
        if (!node.data.trim() || !shown(part) || part.closest("script, style")) continue;
        const style = getComputedStyle(part), svg = part.closest("svg");
        /* Dots are data and look the same in both themes. */
        if (part.closest(".dot-number")) continue;
        const under = background(part);
        const ink = over(colour(svg ? style.fill : style.color), under), ratio = contrast(ink, under);
        const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
        if (ratio < (large ? 3 : 4.5)) found.set(`${part.tagName} ${part.className.baseVal ?? part.className}`, [ratio.toFixed(2), node.data.trim().slice(0, 40)]);
      }
      return [...found];
    },

    /* Lines of figures that are hard to see: W3C asks for 3 of graphics. */
    pale: () => [...new Set([...document.querySelectorAll(".series")].filter(shown)
      .map((line) => [line.getAttribute("class"), contrast(colour(getComputedStyle(line).stroke), background(line)).toFixed(2)])
      .filter(([, ratio]) => ratio < 3).map(String))],

    /* Labels of a chart that lie on each other, and those that leave it. */
    crowded: () => [...document.querySelectorAll("svg.chart")].filter(shown).flatMap((svg) => {
      const frame = svg.getBoundingClientRect();
      const texts = [...svg.querySelectorAll("text")].filter((t) => text(t) && !t.matches(".dot-number")).map((t) => [text(t), t.getBoundingClientRect()]);
      const out = texts.filter(([, b]) => b.left < frame.left - 1 || b.right > frame.right + 1 || b.top < frame.top - 1 || b.bottom > frame.bottom + 1);
      const on = texts.filter(([, a], i) => texts.some(([, b], j) => j > i
        && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2));
      return [...out.map(([t]) => `${svg.ariaLabel}: "${t}" leaves it`), ...on.map(([t]) => `${svg.ariaLabel}: "${t}" lies on another`)];
    }),

    /* Parts wider than the window. */
    wide: () => {
      const width = document.documentElement.clientWidth;
      if (document.scrollingElement.scrollWidth <= width) return [];
      const wide = [...document.querySelectorAll("body *")].filter((part) => part.getBoundingClientRect().right > width + 1);
      return [`${document.scrollingElement.scrollWidth} of ${width}`, ...wide.slice(0, 5).map((part) => part.outerHTML.slice(0, 80))];
    },

    /* Parts that paper would cut. */
    cut: (height) => [...document.querySelectorAll("figure, .panel, .map, .at-step, .figure-part")].filter(shown).filter((part) => {
      const splits = getComputedStyle(part).breakInside !== "avoid";
      const holds = part.querySelector(".panel, .map");
      return !holds && (splits || part.getBoundingClientRect().height > height);
    }).map((part) => `${part.className || part.tagName} ${text(part.querySelector("h3, .panel-title"))} ${part.getBoundingClientRect().height}`),
  };
})();
