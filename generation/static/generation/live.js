// The live page: asks for a picture at each pause in the typing and shows the newest one.
"use strict";
(() => {
  const form = document.getElementById("live");
  const picture = document.getElementById("live-picture");
  const status = document.getElementById("live-status");
  if (!form || !picture) return;
  const PAUSE_MS = 80;
  const PATIENCE_MS = 1000;
  let timer = null;
  let turn = 0;
  let shown = "";
  let drawn = ""; // names the picture in sight

  const tell = (text) => {
    status.textContent = text;
  };

  const said = () => {
    const body = new FormData(form);
    body.set("prompt", body.get("prompt").trim().replace(/\s+/g, " "));
    return body;
  };

  const draw = async () => {
    const body = said();
    const key = JSON.stringify([...body].filter(([name]) => name !== "csrfmiddlewaretoken"));
    if (!body.get("prompt") || key === shown) return;
    const mine = ++turn;
    const began = performance.now();
    shown = key;
    const slow = setTimeout(() => mine === turn && tell("Drawing. It takes longer than usual."), PATIENCE_MS);
    try {
      const asked = await fetch(form.dataset.draw, { method: "POST", body });
      const answer = await asked.json();
      if (mine !== turn) return;
      if (!asked.ok) return fail(answer.message);
      const address = form.dataset.picture.replace("00000000-0000-0000-0000-000000000000", answer.id);
      const made = await fetch(address, { headers: drawn ? { "If-None-Match": drawn } : {} });
      if (mine !== turn) return;
      if (made.status === 204) return fail("Another window asked for something newer. Type on to draw here.");
      if (made.status === 304) return tell("Nothing to redraw: the picture would look the same.");
      if (made.status === 409) return fail((await made.json()).message);
      if (!made.ok) return fail("The picture did not come in time. Type on to ask again.");
      const blob = await made.blob();
      if (mine !== turn) return;
      show(blob, began);
      drawn = made.headers.get("ETag") || "";
    } catch {
      if (mine === turn) fail("The server does not answer. Type on to ask again.");
    } finally {
      clearTimeout(slow);
    }
  };

  const fail = (message) => {
    shown = drawn = "";
    picture.hidden = true;
    tell(message);
  };

  const show = (blob, began) => {
    const old = picture.src;
    const took = Math.round(performance.now() - began);
    picture.dataset.askedAt = began;
    picture.src = URL.createObjectURL(blob);
    picture.dataset.tookMs = took;
    picture.hidden = false;
    if (old.startsWith("blob:")) URL.revokeObjectURL(old);
    tell(`Drawn in ${(took / 1000).toFixed(1)} s. It is not kept unless you keep it.`);
  };

  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(draw, PAUSE_MS);
  });
  draw();
})();
