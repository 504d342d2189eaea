// Drag and drop, and how far the upload is. Without this file the form works as any form does.
"use strict";
(() => {
  const form = document.querySelector("[data-upload]");
  if (!form) return;
  const zone = form.querySelector("[data-dropzone]");
  const input = form.querySelector("input[type=file]");
  const name = form.querySelector("[data-file-name]");
  const wrong = form.querySelector("[data-upload-error]");
  const box = form.querySelector("[data-upload-progress]");
  const status = form.querySelector("[data-upload-status]");
  const bar = box.querySelector("progress");
  const button = form.querySelector("button");

  const mib = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

  const showName = () => {
    const file = input.files[0];
    if (file) name.textContent = `${file.name}, ${mib(file.size)}`;
  };
  input.addEventListener("change", showName);

  for (const type of ["dragenter", "dragover"]) {
    zone.addEventListener(type, (event) => {
      event.preventDefault();
      zone.classList.add("is-over");
    });
  }
  for (const type of ["dragleave", "drop"]) {
    zone.addEventListener(type, () => zone.classList.remove("is-over"));
  }
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    showName();
  });

  const fail = (sentence) => {
    wrong.textContent = sentence;
    wrong.hidden = false;
    box.hidden = true;
    button.disabled = false;
  };

  const sentenceOf = (html) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    const said = page.querySelector(".notice[role=alert]:not([hidden]), .error, h1");
    return said ? said.textContent.trim() : "The upload was refused.";
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const request = new XMLHttpRequest();
    request.open("POST", form.action || window.location.href);
    request.upload.addEventListener("progress", (told) => {
      if (!told.lengthComputable) return;
      bar.value = (100 * told.loaded) / told.total;
      status.textContent = `${mib(told.loaded)} of ${mib(told.total)}`;
    });
    request.upload.addEventListener("load", () => {
      status.textContent = "Uploaded; storing it";
    });
    request.addEventListener("load", () => {
      if (request.status === 201) {
        window.location.assign(request.getResponseHeader("Location"));
      } else if (request.status < 400 && request.responseURL !== window.location.href) {
        window.location.assign(request.responseURL); // signed out meanwhile
      } else {
        fail(sentenceOf(request.responseText));
      }
    });
    request.addEventListener("error", () => fail("The connection broke. Try it again."));
    request.setRequestHeader("X-Requested-With", "XMLHttpRequest");
    wrong.hidden = true;
    box.hidden = false;
    button.disabled = true;
    request.send(new FormData(form));
  });
})();
