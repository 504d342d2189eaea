// Small improvements on every page; each page works without this file.
"use strict";
(() => {
  // Server answers 4xx with a page that says what is wrong: show it instead of dropping it.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const status = event.detail.xhr.status;
    const isFragment = !event.detail.xhr.responseText.startsWith("<!doctype");
    if (status === 422 || status === 409) event.detail.shouldSwap = true;
    if ([403, 429, 503].includes(status) && isFragment) event.detail.shouldSwap = true;
  });

  // Left and right arrows turn the frames of a roll, unless a field has the keys.
  document.addEventListener("keydown", (event) => {
    const isPlain = !(event.altKey || event.ctrlKey || event.metaKey || event.shiftKey);
    if (!isPlain || event.target.closest("input, textarea, select, [contenteditable]")) return;
    const rel = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
    const link = rel && document.querySelector(`.roll a[rel="${rel}"]`);
    if (link) window.location.assign(link.href);
  });

  // All frames of a sheet at once.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-tick-all]");
    if (!button) return;
    for (const box of button.form.querySelectorAll("[type=checkbox]")) box.checked = true;
  });

  // A session that ended in the middle: the sign-in page belongs into the whole window.
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    if (event.detail.xhr.responseURL.includes("/accounts/login/")) {
      event.preventDefault();
      window.location.reload();
    }
  });

  // How many notifications are new. It is asked without the person, so whatever goes wrong, an
  // ended session among it, is told when they do something.
  const bell = document.querySelector("[data-unread]");
  async function ring() {
    try {
      const answer = await fetch(bell.dataset.unread);
      if (answer.ok && !answer.redirected) bell.innerHTML = await answer.text();
    } catch { /* asked again in a minute */ }
  }
  if (bell) {
    ring();
    setInterval(() => document.hidden || ring(), 60_000);
    document.addEventListener("notifications-read", ring);
  }
})();
