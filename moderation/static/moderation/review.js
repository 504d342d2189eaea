// The review desk by keyboard, and the heartbeat of a lease. Without this file every page works.
"use strict";
(() => {
  const RENEW_MS = 120000;
  const form = () => document.getElementById("decide");
  let isLeaving = false;

  const isTyping = (target) =>
    target.closest("textarea, select, input:not([type=radio], [type=checkbox])") !== null;

  // j and k walk through the queue's rows, or on a case through the reasons.
  const walk = (step) => {
    const links = Array.from(document.querySelectorAll(".queue-case a"));
    const stops = links.length
      ? links
      : Array.from(document.querySelectorAll("#decide .reasons input"));
    if (!stops.length) return;
    const place = stops.indexOf(document.activeElement);
    const next = place < 0 ? (step > 0 ? 0 : stops.length - 1) : place + step;
    stops[Math.max(0, Math.min(stops.length - 1, next))].focus();
  };

  const choose = (number) => {
    const radio = document.querySelectorAll("#decide .refuse-reasons input")[number - 1];
    if (!radio) return false;
    radio.checked = true;
    radio.focus();
    return true;
  };

  const help = () => {
    const dialog = document.getElementById("keys");
    if (!dialog) return;
    if (dialog.open) dialog.close();
    else dialog.showModal();
  };

  const press = (key) => {
    const target = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (!target) return false;
    target.click();
    return true;
  };

  // x ticks the queue's row that has the focus.
  const tick = () => {
    const row = document.activeElement?.closest(".queue tr");
    const box = row?.querySelector("[name=case]");
    if (!box) return false;
    box.checked = !box.checked;
    return true;
  };

  const act = (key) => {
    if (key === "x") return tick();
    if (key === "?") return help(), true;
    if (key === "j" || key === "k") return walk(key === "j" ? 1 : -1), true;
    if (/^[1-9]$/.test(key)) return choose(Number(key));
    return press(key === " " ? "space" : key);
  };

  document.addEventListener("keydown", (event) => {
    if (isLeaving) return event.preventDefault(); // a second press must not send a second form
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (isTyping(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (event.key === " " && event.target.closest("button, a, summary")) return;
    if (document.querySelector("dialog[open]") && event.key !== "?") return;
    if (act(event.key)) event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-help]")) help();
  });

  // The undo bar goes when its window is over.
  const bar = document.querySelector(".undo");
  if (bar) {
    const rest = new Date(bar.dataset.until) - Date.now();
    setTimeout(() => bar.remove(), Math.max(0, rest));
  }

  // An open page keeps its case; a page that closes gives it back.
  const send = (url) => {
    const body = new FormData();
    for (const name of ["csrfmiddlewaretoken", "token"])
      body.append(name, form().elements[name].value);
    return navigator.sendBeacon(url, body);
  };
  setInterval(() => {
    if (form() && document.visibilityState === "visible") send(form().dataset.renew);
  }, RENEW_MS);
  // htmx sends some forms itself (a reveal, a note) and the page stays: only others leave it.
  document.addEventListener("submit", (event) => {
    if (!event.defaultPrevented) isLeaving = true;
  });
  window.addEventListener("pageshow", (event) => {
    isLeaving = false;
    if (event.persisted && form()) window.location.reload();
  });
  window.addEventListener("pagehide", () => {
    if (form() && !isLeaving) send(form().dataset.release);
  });
})();
