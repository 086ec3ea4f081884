// The page works without this script, but for the charts.  It runs in the head, so that
// the theme is there before the first paint, and does the rest when the page is parsed.
// Data reaches the page as text nodes, attributes and JSON blocks of our own server.
"use strict";

(() => {
  const root = document.documentElement;
  const { plotly, events } = document.currentScript.dataset;
  root.classList.add("js");

  const by = (id) => document.getElementById(id);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const nextFrame = () =>
    new Promise((done) => {
      // A hidden page has no frames.
      if (document.hidden) setTimeout(done);
      else requestAnimationFrame(() => setTimeout(done));
    });

  // ---- theme ------------------------------------------------------------------------

  const CHOICES = ["system", "light", "dark"];
  const systemDark = matchMedia("(prefers-color-scheme: dark)");
  let choice = stored() || "system";
  applyChoice();

  function stored() {
    try {
      const kept = localStorage.getItem("smartshopie-theme");
      return CHOICES.includes(kept) ? kept : null;
    } catch {
      return null; // storage is forbidden
    }
  }

  function applyChoice() {
    if (choice === "system") delete root.dataset.theme;
    else root.dataset.theme = choice;
  }

  function choose(next) {
    choice = next;
    try {
      localStorage.setItem("smartshopie-theme", next);
    } catch {
      // It holds for this page, then.
    }
    applyChoice();
    nameTheme();
    recolour();
  }

  function nameTheme() {
    by("theme").textContent = `Theme: ${choice}`;
  }

  function theme() {
    if (choice !== "system") return choice;
    return systemDark.matches ? "dark" : "light";
  }

  // ---- charts -----------------------------------------------------------------------

  const CONFIG = {
    displayModeBar: false,
    displaylogo: false,
    responsive: true,
    scrollZoom: false,
    doubleClick: false,
    showAxisDragHandles: false,
    showTips: false,
  };
  const NARROW = 420; // px
  const PAPER = 640;

  // The policy forbids the attribute style, which plotly sets on bold words, and not the
  // property.
  SVGElement.prototype.setAttribute = function setAttribute(name, value) {
    if (name === "style") this.style.cssText = value;
    else Element.prototype.setAttribute.call(this, name, value);
  };

  let themes = {};
  let drawing = 0; // the newest run; an older one stops
  let plotlyLoad = null;

  function loadPlotly() {
    plotlyLoad ??= new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = plotly;
      script.onload = done;
      script.onerror = () => {
        plotlyLoad = null;
        script.remove();
        failed(new Error("plotly did not load"));
      };
      document.head.append(script);
    });
    return plotlyLoad;
  }

  function template(name) {
    return themes[name] || {};
  }

  function figure(id) {
    const block = by(`data-${id}`);
    const made = JSON.parse(block.textContent);
    made.layout.template = template(theme());
    return made;
  }

  /** On a phone there is room for a few labels, and none for turned ones. */
  function narrow(layout) {
    for (const name of Object.keys(layout).filter((key) => /^[xy]axis/.test(key))) {
      const axis = layout[name];
      axis.tickfont = { ...axis.tickfont, size: 11 };
      if (axis.type === "date") Object.assign(axis, { nticks: 4, tickangle: 0 });
    }
    layout.legend = { ...layout.legend, font: { size: 11 } };
  }

  async function drawAll() {
    makeSortable();
    const run = ++drawing;
    const plots = all(".plot:not([data-drawn])");
    if (!plots.length) return finish();
    await nextFrame(); // figures first
    try {
      await loadPlotly();
    } catch {
      plots.forEach((plot) => failed(plot));
      return finish();
    }
    let since = performance.now();
    for (const plot of plots) {
      if (plot.isConnected) await draw(plot);
      if (performance.now() - since < 40) continue;
      await nextFrame(); // clicks are heard in between
      if (run !== drawing) return undefined;
      since = performance.now();
    }
    return finish();
  }

  async function draw(plot) {
    try {
      const { data, layout } = figure(plot.id.slice("plot-".length));
      if (plot.clientWidth < NARROW) narrow(layout);
      if (!plot.matches(".js-plotly-plot")) plot.replaceChildren();
      const first = !plot.matches(".js-plotly-plot");
      await window.Plotly.react(plot, data, layout, CONFIG);
      if (first) plot.on("plotly_afterplot", () => shorten(plot));
      shorten(plot);
      plot.dataset.drawn = "yes";
    } catch (error) {
      console.error(error);
      failed(plot);
    }
  }

  /** A name over a bar that would end under its figure is cut, and is seen to be. */
  function shorten(plot) {
    const lines = all(".annotation", plot).map((line) => line.querySelector(".annotation-text"));
    const box = (line) => line.getBoundingClientRect();
    lines.forEach((name, i) => {
      const figure = lines[i + 1];
      if (!figure || Math.abs(box(name).top - box(figure).top) > 2) return;
      if (box(figure).left < box(name).left) return;
      const end = box(figure).left - 6;
      let text = name.textContent;
      while (text.length > 1 && box(name).right > end) {
        text = text.slice(0, -1).trimEnd();
        name.textContent = `${text}…`;
      }
    });
  }

  function failed(plot) {
    const text = document.createElement("p");
    text.className = "empty";
    text.textContent = "The chart could not be drawn; its numbers are in the table.";
    const again = document.createElement("button");
    again.type = "button";
    again.className = "tool";
    again.textContent = "Try again";
    again.addEventListener("click", () => {
      delete plot.dataset.failed;
      plot.replaceChildren();
      drawAll();
    });
    text.append(document.createElement("br"), again);
    plot.dataset.failed = "yes";
    plot.replaceChildren(text);
  }

  function finish() {
    root.dataset.charts = "drawn";
    performance.mark("smartshopie-charts");
  }

  function forget(from) {
    if (window.Plotly) all(".js-plotly-plot", from).forEach(window.Plotly.purge);
  }

  function recolour(name = theme(), size = {}) {
    if (!window.Plotly) return;
    for (const plot of all(".js-plotly-plot[data-drawn]"))
      window.Plotly.relayout(plot, { template: template(name), ...size });
  }

  /** On paper charts are light, and no wider than a page. */
  function toPaper() {
    recolour("light", { width: PAPER });
  }

  function fromPaper() {
    recolour(theme(), { width: null, height: null, autosize: true });
  }

  // ---- pages ------------------------------------------------------------------------

  const sources = new WeakMap(); // block: its HTML as the server sent it
  let request = null; // the one under way

  function remember() {
    for (const block of all("[data-block]")) sources.set(block, block.outerHTML);
  }

  async function get(url) {
    request?.abort();
    const mine = (request = new AbortController());
    try {
      const answer = await fetch(url, {
        cache: "no-cache",
        headers: { Accept: "text/html" },
        signal: mine.signal,
      });
      if (!(answer.headers.get("Content-Type") || "").startsWith("text/html"))
        throw new Error(`${answer.status}`);
      const text = await answer.text();
      return new DOMParser().parseFromString(text, "text/html");
    } finally {
      if (request === mine) request = null;
    }
  }

  async function go(url, { push = true, scroll = 0 } = {}) {
    const main = by("main");
    main.classList.add("loading");
    main.setAttribute("aria-busy", "true");
    delete root.dataset.charts;
    let next;
    try {
      next = await get(url);
    } catch (error) {
      if (error.name === "AbortError") return; // a newer one took over
      settle(main);
      complain("The page did not load. Is the server still there?", () =>
        go(url, { push, scroll })
      );
      return;
    }
    settle(main);
    complain("");
    if (push && url !== location.href) history.pushState({}, "", url);
    show(next, scroll);
  }

  function settle(main) {
    main.classList.remove("loading");
    main.removeAttribute("aria-busy");
  }

  function show(next, scroll) {
    const focused = document.activeElement?.id;
    const sameArea = root.dataset.page === next.documentElement.dataset.page;
    forget(by("main"));
    takeFrame(next);
    by("main").replaceChildren(...next.getElementById("main").childNodes);
    remember();
    const kept = sameArea && focused ? by(focused) : null;
    if (kept) kept.focus({ preventScroll: true });
    else by("title")?.focus({ preventScroll: true });
    if (!sameArea || scroll) scrollTo({ top: scroll, behavior: "instant" });
    say(`${by("title").textContent}, ${by("asof")?.textContent || ""}`);
    performance.mark("smartshopie-figures");
    connect();
    drawAll();
  }

  /** Title, links and version of the new page; the links stay, and so does the focus. */
  function takeFrame(next) {
    document.title = next.title;
    root.dataset.page = next.documentElement.dataset.page;
    by("main").dataset.version = next.getElementById("main").dataset.version;
    for (const link of all("#areas a")) {
      const theirs = next.getElementById(link.id);
      link.href = theirs.getAttribute("href");
      if (theirs.hasAttribute("aria-current")) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    showCurrent();
  }

  /** On a phone the areas are a line that scrolls. */
  function showCurrent() {
    const link = by("areas").querySelector("[aria-current]");
    if (link) by("areas").scrollLeft = link.offsetLeft - by("areas").clientWidth / 3;
  }

  function say(text) {
    by("said").textContent = text.replace(/\s+/g, " ").trim();
  }

  function complain(text, retry) {
    by("trouble").hidden = !text;
    by("trouble-text").textContent = text;
    by("again").onclick = retry || null;
  }

  function isPage(url) {
    return all("#areas a, .brand a").some((link) => link.pathname === url.pathname);
  }

  function onClick(event) {
    const link = event.target.closest?.("a[href]");
    if (!link || event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (link.hasAttribute("download") || link.target) return;
    if (link.origin !== location.origin || link.hash || !isPage(link)) return;
    event.preventDefault();
    rememberScroll();
    go(link.href);
  }

  function onSubmit(event) {
    const form = event.target;
    if (form.method !== "get" || !form.closest("#main")) return;
    event.preventDefault();
    rememberScroll();
    go(`${form.action}?${new URLSearchParams(new FormData(form))}`);
  }

  function rememberScroll() {
    history.replaceState({ scroll: scrollY }, "");
  }

  // ---- refreshing -------------------------------------------------------------------

  /** The same page anew: only what changed is exchanged. */
  async function refresh() {
    if (request) return; // another page is on its way, and is newer
    let next;
    try {
      next = await get(location.href);
    } catch {
      return; // the state of the connection is shown elsewhere
    }
    const main = next.getElementById("main");
    if (root.dataset.page !== next.documentElement.dataset.page) return;
    if (main.dataset.version === by("main").dataset.version) return;
    takeFrame(next);
    exchangeLine(main, ".asof");
    exchangeOld(main);
    exchangeBlocks(main);
    root.dataset.refreshed = String(Number(root.dataset.refreshed || 0) + 1);
    drawAll();
  }

  function exchangeLine(main, selector) {
    const mine = by("main").querySelector(selector);
    const theirs = main.querySelector(selector);
    if (mine && theirs && mine.outerHTML !== theirs.outerHTML) mine.replaceWith(theirs);
  }

  function exchangeOld(main) {
    by("old")?.remove();
    const theirs = main.querySelector("#old");
    if (theirs) by("asof").after(theirs);
  }

  function exchangeBlocks(main) {
    const grid = by("main").querySelector(".grid");
    const mine = all("[data-block]", grid);
    const theirs = all("[data-block]", main);
    const ids = (blocks) => blocks.map((block) => block.id).join();
    if (ids(mine) !== ids(theirs)) {
      forget(grid);
      grid.replaceChildren(...theirs);
      remember();
      return;
    }
    theirs.forEach((block, i) => {
      const source = block.outerHTML;
      if (sources.get(mine[i]) === source) return;
      exchange(mine[i], block);
      sources.set(block, source);
    });
  }

  /** One block for another: what is open stays open, and the focus and the scrolled
      place of its lists stay where they are; a chart is kept and drawn over. */
  function exchange(mine, theirs) {
    const focused = mine.contains(document.activeElement) && document.activeElement.id;
    const places = all(".scroll, .feed", mine).map((list) => [list.scrollTop, list.scrollLeft]);
    for (const open of all("details[open]", mine)) {
      const same = theirs.querySelector(`#${CSS.escape(open.id)}`);
      if (same) same.open = true;
    }
    const plot = mine.querySelector(".js-plotly-plot");
    const place = theirs.querySelector(".plot");
    if (plot && place) {
      plot.setAttribute("aria-label", place.getAttribute("aria-label"));
      delete plot.dataset.drawn;
      place.replaceWith(plot);
    } else {
      forget(mine);
    }
    mine.replaceWith(theirs);
    all(".scroll, .feed", theirs).forEach((list, i) => {
      if (places[i]) [list.scrollTop, list.scrollLeft] = places[i];
    });
    if (focused) by(focused)?.focus({ preventScroll: true });
  }

  // ---- sorting ----------------------------------------------------------------------

  const sorted = new Map(); // id of a table's frame: [column, descending]

  /** Each heading of a table becomes a button that sorts by its column. */
  function makeSortable(from = document) {
    for (const frame of all(".scroll", from)) {
      if (frame.querySelector(".sort")) continue;
      all("thead th", frame).forEach((heading, column) => {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "sort";
        button.id = `${frame.id}-${column}`;
        button.append(...heading.childNodes);
        button.addEventListener("click", () => {
          const [before, down] = sorted.get(frame.id) || [];
          const number = heading.classList.contains("number");
          sorted.set(frame.id, [column, before === column ? !down : number]);
          sort(frame);
        });
        heading.append(button);
      });
      if (sorted.has(frame.id)) sort(frame);
    }
  }

  function sort(frame) {
    const [column, down] = sorted.get(frame.id);
    all("thead th", frame).forEach((heading, i) => {
      if (i === column) heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      else heading.removeAttribute("aria-sort");
    });
    const body = frame.querySelector("tbody");
    const rows = all("tr", body).map((row) => [key(row.cells[column]), row]);
    rows.sort(([a], [b]) => (down ? compare(b, a) : compare(a, b)));
    body.append(...rows.map(([, row]) => row));
  }

  function key(cell) {
    const value = cell?.querySelector("data")?.value;
    if (value !== undefined) return Number(value);
    return cell?.querySelector("time")?.dateTime || cell?.textContent.trim() || "";
  }

  /** Numbers before text: what is not known is text. */
  function compare(a, b) {
    if (typeof a === "number" && typeof b === "number") return a - b;
    if (typeof a === "number") return -1;
    if (typeof b === "number") return 1;
    return a.localeCompare(b, undefined, { numeric: true });
  }

  // ---- changes in the database ------------------------------------------------------

  const PATIENCE = 8000; // ms without a connection before it is called lost
  const SLOWEST = 60000;
  const QUIET = 150; // ms after a change, as more often follow at once
  const GAP = 1000; // ms between refreshes
  let stream = null;
  let wait = 5000;
  let retry = 0;
  let losing = 0;
  let pending = 0;
  let refreshed = 0;

  function connect() {
    const seen = by("main").dataset.version; // a page about an error has none
    if (!events || !seen || stream || document.hidden) return;
    clearTimeout(retry);
    stream = new EventSource(`${events}?seen=${encodeURIComponent(seen)}`);
    stream.addEventListener("open", () => {
      wait = 5000;
      clearTimeout(losing);
      losing = 0;
      live("on", "Live");
    });
    stream.addEventListener("changed", onChanged);
    stream.addEventListener("error", onLost);
  }

  function onChanged(event) {
    if (event.lastEventId === by("main").dataset.version || pending) return;
    // Many commits in a row are one refresh, and one a second.
    pending = setTimeout(
      () => {
        pending = 0;
        refreshed = performance.now();
        refresh();
      },
      Math.max(QUIET, refreshed + GAP - performance.now())
    );
  }

  function onLost() {
    losing ||= setTimeout(() => live("lost", `Not live since ${now()}`), PATIENCE);
    if (stream?.readyState !== EventSource.CLOSED) return; // it tries again by itself
    disconnect();
    retry = setTimeout(() => {
      connect();
      refresh();
    }, wait);
    wait = Math.min(2 * wait, SLOWEST);
  }

  function disconnect() {
    stream?.close();
    stream = null;
    clearTimeout(retry);
  }

  function live(state, text) {
    const line = by("live");
    line.hidden = false;
    line.dataset.state = state;
    by("live-text").textContent = text;
  }

  function now() {
    return new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  }

  function onVisible() {
    if (document.hidden) {
      disconnect();
      return;
    }
    connect();
    refresh();
  }

  // ---- start ------------------------------------------------------------------------

  document.addEventListener("DOMContentLoaded", () => {
    remember();
    showCurrent();
    themes = JSON.parse(by("themes").textContent);
    nameTheme();
    by("theme").hidden = false;
    by("theme").addEventListener("click", () =>
      choose(CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length])
    );
    by("print").hidden = false;
    by("print").addEventListener("click", () => print());
    systemDark.addEventListener("change", () => recolour());
    document.addEventListener("click", onClick);
    document.addEventListener("submit", onSubmit);
    history.scrollRestoration = "manual";
    addEventListener("popstate", (event) =>
      go(location.href, { push: false, scroll: event.state?.scroll || 0 })
    );
    addEventListener("beforeprint", toPaper);
    addEventListener("afterprint", fromPaper);
    document.addEventListener("visibilitychange", onVisible);
    addEventListener("pagehide", disconnect);
    addEventListener("pageshow", (event) => event.persisted && onVisible());
    performance.mark("smartshopie-figures");
    drawAll();
    connect();
  });
})();
