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

  const sentence = (state) => {
    if (state.position) return `Place ${state.position} in line`;
    if (state.state.startsWith("running")) return `Step ${state.step} of ${state.total}`;
    return "Reading the prompt";
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
    if (label && !card.dataset.state.split(":")[2].startsWith("1")) label.textContent = state.label;
    if (line) line.textContent = sentence(state);
    if (bar && (state.step || state.position)) bar.value = state.step;
    if (preview && state.preview) loadPreview(preview, state.preview);
  };

  // A preview that is gone by the time it is asked for must not flash a broken picture.
  const loadPreview = (preview, url) => {
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
    source.addEventListener("end", stop);
    source.onerror = () => {
      if (source && source.readyState === EventSource.CLOSED) {
        stop();
        poll();
      }
    };
  };

  document.addEventListener("htmx:afterSettle", listen);
  window.addEventListener("pagehide", stop);
  window.addEventListener("pageshow", listen);
})();
