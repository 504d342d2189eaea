// Live progress on the studio and request pages. Without this file both pages work by reloading.
"use strict";
(() => {
  const POLL_MS = 2000;
  let source = null;
  let timer = null;

  const sheet = () => document.getElementById("sheet");
  const cards = () => Array.from(document.querySelectorAll("[data-request]"));
  const active = () => cards().filter((card) => card.hasAttribute("data-active"));

  // Draws one card anew: its own page answers htmx with the card alone.
  const redraw = (card) => {
    if (card.dataset.isLoading) return Promise.resolve();
    card.dataset.isLoading = "true";
    return htmx
      .ajax("GET", card.dataset.url, { target: card, swap: "outerHTML" })
      .catch(() => {})
      .finally(() => delete card.dataset.isLoading);
  };

  const show = (state) => {
    const card = document.getElementById(`request-${state.id}`);
    if (!card) return;
    if (card.dataset.state !== state.state) {
      redraw(card);
      if (!state.is_active) tell(`${state.label}.`);
      return;
    }
    const label = card.querySelector("[data-label]");
    const bar = card.querySelector("[data-progress]");
    const line = card.querySelector("[data-live]");
    const preview = card.querySelector("[data-preview]");
    if (label) label.textContent = state.label;
    if (line) line.textContent = state.line;
    if (bar && state.step) bar.value = state.step;
    if (preview && state.preview && preview.dataset.shown !== state.preview) {
      loadPreview(preview, state.preview);
    }
  };

  // A preview that is gone by the time it is asked for must not flash a broken picture.
  const loadPreview = (preview, url) => {
    preview.dataset.shown = url;
    const next = new Image();
    next.onload = () => {
      preview.src = url;
      preview.hidden = false;
    };
    next.src = url;
  };

  const tell = (text) => {
    const status = document.getElementById("live-status");
    if (status) status.textContent = text;
  };

  const stop = () => {
    if (source) source.close();
    source = null;
    clearTimeout(timer);
    timer = null;
  };

  const poll = () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      await Promise.all(active().map(redraw));
      if (active().length) poll();
    }, POLL_MS);
  };

  const listen = () => {
    if (!sheet() || !active().length || source || timer) return;
    if (!window.EventSource) return poll();
    source = new EventSource(sheet().dataset.events);
    source.addEventListener("progress", (event) => show(JSON.parse(event.data)));
    source.addEventListener("end", () => {
      stop();
      // What ended before the stream's first look was never told: fetch those cards.
      active().forEach(redraw);
    });
    source.onerror = () => {
      if (source && source.readyState === EventSource.CLOSED) {
        stop();
        poll();
      }
    };
  };

  // On a narrow screen the sheet begins below the form: show that something happens, or what is wrong.
  const reveal = (event) => {
    const isSubmit = event.detail.requestConfig?.verb === "post" && event.detail.target.id === "bench";
    if (isSubmit) stop(); // a new stream looks at once, the old one may be between two looks
    const wrong = isSubmit && document.querySelector("#compose :is([role=alert], .is-wrong, .error)");
    if (wrong) {
      wrong.scrollIntoView({ block: "center" });
      wrong.querySelector("input, select, textarea")?.focus({ preventScroll: true });
    } else if (isSubmit && active().length && sheet().getBoundingClientRect().top > window.innerHeight * 0.6) {
      sheet().scrollIntoView();
    }
  };

  // Ctrl+Enter (Cmd+Enter) in a text field sends the form.
  document.addEventListener("keydown", (event) => {
    const form = event.target.closest?.("#compose");
    if (form && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit(document.getElementById("generate"));
    }
  });

  document.addEventListener("htmx:afterSettle", reveal);
  document.addEventListener("htmx:afterSettle", listen);
  window.addEventListener("pagehide", stop);
  window.addEventListener("pageshow", listen);
})();
